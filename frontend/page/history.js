/** What was labelled in this session, the last first; a click shows it again. */

import { find, make, makeImage, redraw } from "./elements.js";
import { writeCount, writeShare } from "./figures.js";

const HOUR = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/**
 * Draw the history.
 * @param {import("./session.js").Session} session
 */
export function drawHistory(session) {
  const { history } = session;
  find("history").hidden = history.length === 0;
  find("history-count").textContent = writeCount(history.length, "picture");
  redraw(find("history-list"), history.map((picture) => drawEntry(session, picture)), find("history-clear"));
}

function drawEntry(session, picture) {
  const answered = [...picture.labellings.values()].filter((labelling) => labelling.answer);
  const newest = answered.toSorted((one, two) => two.answer.at - one.answer.at).slice(0, 2);
  const shown = answered.filter((labelling) => newest.includes(labelling));
  const time = HOUR.format(newest[0].answer.at);
  return make("li", {}, make("button", {
    type: "button", "data-key": String(picture.id), onclick: () => session.show([picture]),
    title: `${picture.name}, ${time}`,
  },
    makeImage(picture, picture.name),
    ...shown.flatMap(({ model, answer: { predictions: [best] } }) => [
      make("span", { class: "name" }, best.label),
      make("span", { class: "soft" }, writeShare(best.probability)),
      make("span", { class: "soft" }, model),
    ]),
  ));
}

/**
 * Let the history be cleared.
 * @param {import("./session.js").Session} session
 */
export function openHistory(session) {
  find("history-clear").addEventListener("click", () => {
    session.clearHistory();
    find("pick").focus();
  });
}
