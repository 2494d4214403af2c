/** A model's own samples: pictures to try it with, one click away. */

import { find, make, redraw } from "./elements.js";
import { Picture } from "./picture.js";

const MOST_SHOWN = 20;

/**
 * Draw the samples of a model.
 * @param {string} model
 * @param {import("./card.js").Card|null} card
 * @param {(pictures: Picture[]) => void} take called with the sample that was clicked
 * @param {(sentence: string) => void} tell called when it can't be had
 */
export function drawSamples(model, card, take, tell) {
  const samples = card?.samples.slice(0, MOST_SHOWN) ?? [];
  const box = find("samples");
  const drawn = JSON.stringify([model, samples]);
  if (box.dataset.drawn === drawn) return;
  box.dataset.drawn = drawn;
  box.hidden = samples.length === 0;
  const buttons = samples.map((sample, number) => {
    const image = make("img", { src: sample.path, alt: "", draggable: "false", decoding: "async" });
    image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth <= 96));
    return make("li", {}, make("button", {
      type: "button", "data-key": sample.path, "aria-label": `Sample ${number + 1}: ${sample.label}`, title: sample.label,
      onclick: async () => {
        try {
          const response = await fetch(sample.path, { cache: "force-cache" });
          if (!response.ok) throw new Error(response.statusText);
          tell("");
          take([new Picture(await response.blob(), `sample of “${sample.label}”`, sample.path)]);
        } catch {
          tell(`The sample can’t be had from ${model} now. Your own pictures can be shown, and are kept.`);
        }
      },
    }, image));
  });
  redraw(box, [make("p", {}, "or try one of these samples"), make("ul", {}, ...buttons)], find("pick"));
}
