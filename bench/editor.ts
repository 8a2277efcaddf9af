import { readFileSync } from "node:fs";
import { openDocument } from "../src/api/document.ts";

/*
 * `node bench/editor.ts [ROUNDS]`: how long an editor waits for a key in a file of some 500 lines, made of models of this project. Each round
 * changes one number, and asks for what `update` finds, then for what completes there, then for a whole check. Milliseconds, medians and
 * nine tenths, by the clock and of the processor.
 */

const FILES = [
  "char_lm",
  "names",
  "autoencoder",
  "multitask",
  "sentiment",
  "births",
  "truecase",
  "hmm",
  "g2p",
  "vae",
  "wavenet",
];

const folder = new URL("../models/", import.meta.url);
const rounds = Number(process.argv[2] ?? 60);
let text = FILES.map((name) => readFileSync(new URL(`${name}.seq`, folder), "utf8"))
  .map((one, at) => one.replace(/\b(?:NameKind|G2P)\b/g, (name) => `${name}${at}`))
  .join("\n");
const document = openDocument();
document.update(text);
document.check();

interface Time {
  readonly clock: number;
  readonly processor: number;
}
const times: Record<"update" | "complete" | "check", Time[]> = { update: [], complete: [], check: [] };

function timed(kind: keyof typeof times, work: () => unknown): void {
  const [clock, processor] = [performance.now(), process.cpuUsage().user];
  work();
  times[kind].push({ clock: performance.now() - clock, processor: (process.cpuUsage().user - processor) / 1000 });
}

for (let round = 0; round < rounds; round++) {
  const numbers = [...text.matchAll(/(?<=[ (])\d+(?=[,) \n])/g)];
  const found = numbers[(round * 37 + 11) % numbers.length];
  if (found === undefined) break;
  const end = found.index + found[0].length;
  text = `${text.slice(0, found.index)}${Number(found[0]) + 1}${text.slice(end)}`;
  timed("update", () => document.update(text));
  timed("complete", () => document.complete(end));
  timed("check", () => document.check());
}

console.log(`${text.split("\n").length} lines, ${rounds} changes`);
for (const [kind, all] of Object.entries(times)) {
  const warm = all.slice(Math.floor(all.length / 4));
  const at = (share: number, of: keyof Time): string =>
    (warm.map((time) => time[of]).sort((a, b) => a - b)[Math.floor(warm.length * share)] ?? 0).toFixed(1);
  console.log(
    `${kind}: ${at(0.5, "clock")} (${at(0.9, "clock")}) by the clock, ${at(0.5, "processor")} (${at(0.9, "processor")}) of the processor`,
  );
}
