/** The page: wires the catalogue, the session and everything that is drawn. */

import { describeLabels, drawAbouts } from "./about.js";
import { Cards } from "./card.js";
import { Catalogue } from "./catalogue.js";
import { find } from "./elements.js";
import { Gallery } from "./gallery.js";
import { History } from "./history.js";
import { openIntake } from "./intake.js";
import { drawNotices, findNotices, startCountdowns } from "./notices.js";
import { Picker } from "./picker.js";
import { Large, Result } from "./result.js";
import { drawSamples } from "./samples.js";
import { Session } from "./session.js";
import { say } from "./speech.js";

let told = "";

const catalogue = new Catalogue(
  (before) => {
    chooseModels();
    session.watch(before);
    drawModels();
  },
  () => session.troubled,
);
const cards = new Cards(() => {
  session.ask(); // how many labels there are is known only now
  drawModels();
  drawPictures();
});
const session = new Session(
  {
    pictureChanged(picture) {
      gallery.drawCard(picture);
      if (session.pictures.length === 1 && session.pictures[0] === picture) result.draw(session, picture);
      if (large.picture === picture) large.draw();
      drawTold();
    },
    picturesChanged: drawPictures,
    historyChanged: (picture) => history.draw(picture),
    modelChanged: drawModels,
  },
  catalogue,
  cards,
);
const picker = new Picker(catalogue, {
  models() {
    chooseModels();
    drawModels();
    drawPictures();
  },
  top() {
    session.top = picker.top;
    session.ask();
    drawPictures();
  },
});
const result = new Result(find("result-body"), find("result-title"));
const large = new Large(session);
const history = new History(session);
const gallery = new Gallery(session, (picture) => large.open(picture));

/** Let the session ask the models that are picked, if they are others than before. */
function chooseModels() {
  const { model, other } = picker;
  if (model !== session.model || other !== session.other) session.choose(model, other);
}

function drawModels() {
  picker.draw(session);
  drawSamples(session.model, cards.get(session.model), take, tell);
  drawAbouts(session);
  find("knows").textContent = describeLabels(session.model, cards.get(session.model));
  drawTold();
}

function drawTold() {
  const notices = findNotices(session, (model) => {
    picker.choose(model);
    chooseModels();
    drawModels();
    drawPictures();
  });
  if (told) notices.push({ kind: "plain", title: told, words: "" });
  drawNotices(notices);
}

function drawPictures() {
  const { pictures } = session;
  document.body.classList.toggle("showing", pictures.length > 0);
  find("result").hidden = pictures.length !== 1;
  if (pictures.length === 1) result.draw(session, pictures[0]);
  else result.clear();
  gallery.draw();
  large.draw();
  drawTold();
}

function take(pictures) {
  find("large").close();
  session.show(pictures);
  bringIntoView(find(session.pictures.length > 1 ? "gallery" : "result"));
}

/** On a phone what is drawn is below what is seen. */
function bringIntoView(element) {
  const { top } = element.getBoundingClientRect();
  if (top >= 0 && top <= innerHeight * 0.6) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scrollBy({ top: top - 12, behavior: still ? "auto" : "smooth" });
}

function tell(sentence) {
  told = sentence;
  if (sentence) say(sentence);
  drawTold();
}

session.top = picker.top;
find("command-close").addEventListener("click", () => find("command").close());
openIntake(take, tell);
startCountdowns();
addEventListener("online", () => session.hurry());
catalogue.ask();
