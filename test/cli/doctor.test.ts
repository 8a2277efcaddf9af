import { describe, expect, test } from "vitest";
import { softwareDriverEnvironment } from "../support/gpu.ts";
import { folderWith, json, startWith } from "./process.ts";

const TINY = `
model Tiny(V, H = 3) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, H), cell = GRU(H, H), head = Linear(H, V)

  h = scan cell over emb(ids)
  emit ids[t+1] ~ categorical(head(h[t]))
}
train learn of Tiny {
  data     ids = chars("text.txt")
  minimize nll(ids)
  optim    sgd(0.1)
  bptt     6
  batch    2
  for      2 steps
}
`;

/** Makes a process of Node's find no package of this name. */
function without(name: string): Readonly<Record<string, string>> {
  const hook = `import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (specifier !== ${JSON.stringify(name)}) return next(specifier, context);
      throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    } });`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` };
}

describe("doctor", () => {
  test("shows the graphics device and what can run", async () => {
    const { code, stdout } = await startWith(await softwareDriverEnvironment(), ".", "doctor", "--json").ended;
    expect(code).toBe(0);
    expect(json(stdout)).toMatchObject({
      wasm: { simd: true, sharedMemory: true },
      webgpu: { from: "package", adapter: { limits: { maxBufferSize: expect.any(Number) } } },
      chosen: "wasm",
    });
  });

  test("says how to get WebGPU where it is missing", async () => {
    const { code, stdout } = await startWith(without("webgpu"), ".", "doctor").ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/WebGPU +there is no WebGPU here.*the package webgpu is not installed/);
    expect(stdout).toMatch(/npm install webgpu@/);
    expect(stdout).toMatch(/tfjs-webgpu +not ready/);
    expect(stdout).toMatch(/ {2}wasm +ready.*taken where --target is not given/);
    expect(stdout).toMatch(/ {2}auto +ready.*there is no WebGPU here.*so programs run on wasm/);
  });
});

describe("train on a graphics device", { timeout: 120_000 }, () => {
  const folder = (): string => folderWith({ "tiny.seq": TINY, "text.txt": "abracadabra, a cab".repeat(4) });

  test("says that it is a processor, and gives the numbers of other targets", async () => {
    const where = folder();
    const loss = async (target: string): Promise<{ loss: unknown; stderr: string }> => {
      const environment = await softwareDriverEnvironment();
      const { stdout, stderr } = await startWith(environment, where, "train", "tiny.seq", "--target", target).ended;
      return { loss: json(stdout).loss, stderr };
    };
    const gpu = await loss("tfjs-webgpu");
    const wasm = await loss("wasm");
    expect(gpu.loss).toBeCloseTo(Number(wasm.loss), 4);
    if (process.platform === "linux" && process.arch === "x64")
      expect(gpu.stderr).toMatch(/note: .* is a software adapter/);
    expect(wasm.stderr).not.toMatch(/software/);
  });

  test("is the user's error where there is no WebGPU, with a way out", async () => {
    const { code, stderr } = await startWith(
      without("webgpu"),
      folder(),
      "train",
      "tiny.seq",
      "--target",
      "tfjs-webgpu",
    ).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /the package webgpu is not installed\n {2}hint: install it with npm install webgpu@.*--target wasm/,
    );
  });
});
