/** Elements of the document: made, found and drawn again without losing the focus. */

/**
 * Make an element.
 * @param {string} tag its name
 * @param {Object<string, *>} [properties] attributes; `on…` are listeners, `class` and `data-…` as in HTML; null, false
 *   and undefined are left out
 * @param {...(Node|string|null)} children what it holds; null is left out
 * @returns {HTMLElement}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Find an element that index.html has.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function find(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

/**
 * Put children into an element in place of those that it has. Whatever had the focus there, known by its `data-key`,
 * gets it again; where it is gone, `fallback` does: nobody who uses a keyboard is thrown back to the top of the page.
 * @param {HTMLElement} element
 * @param {Array<Node|string|null>} children
 * @param {HTMLElement} [fallback] something focusable
 */
export function redraw(element, children, fallback) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.dataset.key;
  element.replaceChildren(...children.filter((child) => child !== null));
  if (!focused) return;
  const again = key ? [...element.querySelectorAll("[data-key]")].find((found) => found.dataset.key === key) : null;
  (again ?? fallback)?.focus({ preventScroll: true });
}

/**
 * Make an image of a picture. One of few pixels is drawn with its pixels seen, and never blurred.
 * @param {import("./picture.js").Picture} picture
 * @param {string} alt its text for who can't see it; "" where a text beside it says the same
 * @returns {HTMLElement}
 */
export function makeImage(picture, alt) {
  const frame = make("span", { class: "frame" });
  const image = make("img", { alt, draggable: "false", decoding: "async" });
  image.addEventListener("load", () => {
    frame.classList.toggle("tiny", Math.max(image.naturalWidth, image.naturalHeight) <= 96);
  });
  image.addEventListener("error", () => frame.replaceChildren(make("span", { class: "unshown" }, "no preview")));
  image.src = picture.url;
  frame.append(image);
  return frame;
}
