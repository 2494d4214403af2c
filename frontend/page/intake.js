/** The ways by which a picture comes: dropped, pasted, picked or photographed. */

import { find } from "./elements.js";
import { Picture } from "./picture.js";

/** The most pictures that are taken at once. */
export const MOST_PICTURES = 100;

/**
 * Open all the ways.
 * @param {(pictures: Picture[]) => void} take called with what came
 * @param {(sentence: string) => void} tell called with what could not be taken, in words; "" where all was
 */
export function openIntake(take, tell) {
  const takeFiles = (files) => {
    const taken = [...files].slice(0, MOST_PICTURES);
    tell(files.length > taken.length ? `${taken.length} of the ${files.length} pictures were taken: at most ${MOST_PICTURES} at a time.` : "");
    take(taken.map((file) => new Picture(file, file.name || "picture")));
  };
  for (const [button, input] of [["pick", "files"], ["photograph", "camera"]]) {
    find(button).addEventListener("click", () => find(input).click());
    find(input).addEventListener("change", ({ target }) => {
      if (target.files.length) takeFiles(target.files);
      target.value = ""; // so that the same file can be picked again
    });
  }
  document.addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    if (files.length) takeFiles(files);
    else if (!event.target.closest?.("input, textarea")) tell("There is no picture in the clipboard: copy one first.");
  });
  openDrop(takeFiles, tell);
}

function openDrop(takeFiles, tell) {
  const veil = find("drop");
  let depth = 0; // enter and leave come for every element that is passed over
  const show = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  const isPicture = ({ dataTransfer: { types } }) => types.includes("Files") || types.includes("text/uri-list");
  document.addEventListener("dragenter", (event) => {
    event.preventDefault();
    if (isPicture(event)) show(1);
  });
  document.addEventListener("dragleave", (event) => {
    if (isPicture(event)) show(-1);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    show(-depth);
    const { files, types } = event.dataTransfer;
    if (files.length) takeFiles(files);
    else if (types.includes("text/uri-list"))
      tell("That was a link to a picture. Save it and drop the file, or copy the picture and paste it.");
    else tell("That was no picture. Drop a file: JPEG, PNG or WebP.");
  });
}
