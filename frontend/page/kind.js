/** What a file is that no model reads, told by its first bytes, so that it is said in words and not sent. */

const PICTURE_KINDS = "JPEG, PNG and WebP are read";
/** Signatures that no JPEG, PNG or WebP begins with. */
const SIGNATURES = [
  { pattern: /^GIF8/, what: "a GIF" },
  { pattern: /^(II\*\0|MM\0\*)/, what: "a TIFF" },
  { pattern: /^....ftypavi[fs]/s, what: "an AVIF" },
  { pattern: /^....ftyp(he[iv][cmsx]|mif1|msf1)/s, what: "a HEIC photo" },
  { pattern: /^%PDF-/, what: "a PDF" },
  { pattern: /^BM.{4}\0{4}/s, what: "a BMP" },
];
const BYTES_LOOKED_AT = 512;

/**
 * Say why a file can't be read by any model. What is unknown here is for the server to decide.
 * @param {ArrayBuffer} buffer the whole file
 * @returns {string|null} a sentence; null where it may be read
 */
export function describeUnread(buffer) {
  if (buffer.byteLength === 0) return "The file is empty.";
  const bytes = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, BYTES_LOOKED_AT));
  const start = String.fromCharCode(...bytes);
  const what = SIGNATURES.find(({ pattern }) => pattern.test(start))?.what ?? (isText(bytes) ? "text" : null);
  return what && `This is ${what}; ${PICTURE_KINDS}.`;
}

function isText(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true }); // a letter may be cut at the end
    return !/[\0-\x08\x0e-\x1f]/.test(text);
  } catch {
    return false;
  }
}
