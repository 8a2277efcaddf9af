/*
 * Bytes as text of plain characters that no quoting changes: none is a quote, a backslash, a backtick or beyond ASCII. Every byte is the same one
 * or two characters wherever it stands, so that what repeats in the bytes repeats in the text, and a file that holds it is compressed about
 * as well as if it held the bytes.
 */

/** Characters that stand for bytes by themselves; the two behind them stand before one of all characters. */
const SINGLE = 87;
const ALL = 89;
/** What is added to bytes: code of WebAssembly is mostly small numbers and 0xfd. */
const MOVED = 3;

/** Bytes as text. */
export function printBytes(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes) {
    const value = (byte + MOVED) % 256;
    const rest = value - SINGLE;
    text += rest < 0 ? character(value) : character(SINGLE + Math.floor(rest / ALL)) + character(rest % ALL);
  }
  return text;
}

/** From `#` on, without `'`, `\` and the backtick. */
function character(value: number): string {
  return String.fromCharCode(value + (value < 4 ? 35 : value < 56 ? 36 : value < 59 ? 37 : 38));
}

/** The bytes of a text of `printBytes`. */
export function readBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let before = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const value = code - (code < 39 ? 35 : code < 92 ? 36 : code < 96 ? 37 : 38);
    if (before === 0 && value >= SINGLE) before = SINGLE + (value - SINGLE) * ALL;
    else {
      bytes.push(before + value - MOVED);
      before = 0;
    }
  }
  return Uint8Array.from(bytes);
}
