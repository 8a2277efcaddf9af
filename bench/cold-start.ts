import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { median } from "./statistics.ts";

/*
 * `node bench/cold-start.ts [ROUNDS]`: how long a new process takes to the first character of `models/char_lm.seq`, once Node runs: import, load
 * weights, one step; with the compiled model, and with tfjs-layers on WebAssembly. Then how large the compiled model is.
 */

const root = join(import.meta.dirname, "..");
const rounds = Number(process.argv[2] ?? 15);
const folder = mkdtempSync(join(tmpdir(), "seqc-cold-"));

const seqc = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [join(root, "src/cli/main.ts"), ...args], { encoding: "utf8", cwd: root });

async function size(file: string): Promise<number> {
  const bundle = await rolldown({ input: file });
  const { output } = await bundle.generate({ format: "es", minify: true });
  return gzipSync(output[0].code, { level: 9 }).length;
}

try {
  for (const [name, more] of [
    ["all", []],
    ["forward", ["--only", "forward"]],
  ] as const) {
    seqc("compile", "models/char_lm.seq", "--emit", "js", "--set", "V=83", "--out", join(folder, name), ...more);
    console.log(
      `char_lm, ${name}: ${((await size(join(folder, name, "CharLM.js"))) / 1000).toFixed(1)} KB minified and gzipped`,
    );
  }
  const weights = join(folder, "weights.safetensors");
  const { CharLM } = await import(pathToFileURL(join(folder, "all", "CharLM.js")).href);
  writeFileSync(weights, await CharLM.init(1).save());
  const sides = {
    "compiled model": [join(root, "bench/cold/module.ts"), join(folder, "forward", "CharLM.js"), weights, "7"],
    "tfjs-layers wasm": [join(root, "bench/cold/layers.ts"), weights, "7"],
  };
  const times: Record<string, number[]> = {};
  const answers: Record<string, readonly number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(sides)) {
      const text = execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      const { milliseconds, logits } = JSON.parse(text.trim().split("\n").at(-1) ?? "");
      times[name] = [...(times[name] ?? []), milliseconds];
      answers[name] = logits;
    }
  }
  const [own = [], peer = []] = [answers["compiled model"], answers["tfjs-layers wasm"]];
  const apart = Math.max(...own.map((value, at) => Math.abs(value - (peer[at] ?? Number.NaN))));
  if (!(apart < 1e-4)) throw new Error(`the two differ by ${apart}`);
  for (const [name, all] of Object.entries(times)) {
    console.log(
      `${name}: ${median(all).toFixed(1)} ms (${Math.min(...all).toFixed(1)} - ${Math.max(...all).toFixed(1)})`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
