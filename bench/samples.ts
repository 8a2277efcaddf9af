import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { encodeTensors, readTensors } from "../src/runtime/safetensors.ts";

/*
 * What a generator of digits has learned: a sheet of samples as a picture, and how sure a classifier of real digits is of them.
 * `node bench/samples.ts models/gan.seq sheet fake RUN CLASSIFIER sheet.png`, where RUN is the folder of the trained generator and
 * CLASSIFIER that of `seqc train models/alexnet.seq small`.
 */

const SIDE = 28;
const COUNT = 1000;

async function main([file = "", block = "", value = "", run = "", classifier = "", picture = ""]: readonly string[]) {
  const lines = seqc("generate", file, block, "--weights", run, "--json", "--count", String(COUNT)).trim().split("\n");
  const images = lines.map((line): readonly number[] => JSON.parse(line)[value]);
  const levels = images.map((image) => image.map((level) => (Math.min(...image) < 0 ? (level + 1) / 2 : level)));
  writeFileSync(picture, sheet(levels.slice(0, 100), 10));
  const [given, found] = ["samples.safetensors", "judged.safetensors"].map((name) => join(tmpdir(), name));
  const data = Float32Array.from(levels.flat());
  writeFileSync(
    given ?? "",
    Buffer.concat(
      encodeTensors(new Map([["image", { dtype: "F32" as const, shape: [COUNT, SIDE, SIDE], data }]]), new Map()),
    ),
  );
  const files = ["--inputs", given ?? "", "--outputs", found ?? "", "--target", "wasm"];
  seqc("run", "models/alexnet.seq", "--model", "SmallAlexNet", "--weights", classifier, ...files);
  const { data: logits } = (await readTensors(found ?? "")).tensors.get("label.logits") ?? { data: [] };
  report(Array.from({ length: COUNT }, (_, at) => softmax(Array.from(logits.slice(at * 10, at * 10 + 10), Number))));
}

function report(judged: readonly (readonly number[])[]): void {
  const best = judged.map((row) => Math.max(...row));
  const kinds = judged.map((row, at) => row.indexOf(best[at] ?? 0));
  const shares = Array.from({ length: 10 }, (_, digit) => kinds.filter((kind) => kind === digit).length / COUNT);
  console.log(`mean confidence ${(best.reduce((sum, each) => sum + each, 0) / COUNT).toFixed(3)}`);
  console.log(`share of each digit ${shares.map((share) => share.toFixed(2)).join(" ")}`);
}

function softmax(scores: readonly number[]): readonly number[] {
  const most = Math.max(...scores);
  const exponents = scores.map((score) => Math.exp(score - most));
  const sum = exponents.reduce((total, each) => total + each, 0);
  return exponents.map((each) => each / sum);
}

function seqc(...args: readonly string[]): string {
  const root = join(import.meta.dirname, "..");
  const ran = spawnSync(process.execPath, ["src/cli/main.ts", ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (ran.status !== 0) throw new Error(`seqc ${args.join(" ")} failed:\n${ran.stderr}`);
  return ran.stdout;
}

/** Images of grey levels 0 … 1 side by side, as a PNG file. */
function sheet(images: readonly (readonly number[])[], across: number): Buffer {
  const [width, height] = [across * SIDE, Math.ceil(images.length / across) * SIDE];
  // Each line begins with its filter: none.
  const lines = Buffer.alloc(height * (width + 1));
  images.forEach((image, at) => {
    const [top, left] = [Math.floor(at / across) * SIDE, (at % across) * SIDE];
    image.forEach((level, pixel) => {
      const line = top + Math.floor(pixel / SIDE);
      lines[line * (width + 1) + 1 + left + (pixel % SIDE)] = Math.round(255 * Math.min(Math.max(level, 0), 1));
    });
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

await main(process.argv.slice(2));
