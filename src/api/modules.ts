import type { Report } from "../base/diagnostic.ts";
import { openSizes } from "../compile/open-sizes.ts";
import type { Origins } from "../emit/source-map.ts";
import type { StandaloneTarget } from "../emit/standalone/machine.ts";
import { LEFT_OUT } from "../pass/pipeline.ts";
import type { ModelPrograms } from "../runtime/model-programs.ts";
import { throughPasses, USUAL_STAGES } from "../runtime/passes.ts";
import { shippedSupport } from "../runtime/shipped.ts";
import type { EmitOptions, EmittedModel } from "./emit.ts";

/** A file that was written. */
export interface OutputFile {
  readonly path: string;
  readonly text: string;
}

/** A model as a module in TypeScript, or in JavaScript with declarations beside it. */
export async function moduleFiles(
  { programs, definition }: EmittedModel,
  form: "ts" | "js",
  options: EmitOptions,
  report: Report,
): Promise<readonly OutputFile[]> {
  const { hints = HINTS, target = "wasm" } = options;
  const [open, ...others] = openSizes(programs.forward);
  if (open !== undefined) {
    report.add("unknown-size", definition.name.span, `the size ${[open, ...others].join(", ")} is not known`, {
      hint: hints.size(open),
    });
    return [];
  }
  const wanted = options.only === "forward" ? { ...programs, train: [] } : programs;
  const changing = wanted.train.find((block) => block.changing)?.changing;
  if (changing !== undefined) {
    const what = `${changing.what} makes one training step another than the next: a module holds one`;
    report.add("not-yet", changing.span, what, { hint: hints.training });
    return [];
  }
  const files = await (target === "tfjs" ? tfjsFiles(wanted, options) : standaloneFiles(wanted, target, options));
  const written = form === "ts" ? files : await asJavaScript(files);
  if (options.sourceMap !== true) return written;
  const { withSourceMap } = await import("../emit/source-map.ts");
  return written.flatMap((file) => {
    const origins = file.path.endsWith(".d.ts") ? undefined : file.origins;
    return origins === undefined ? [file] : withSourceMap(file, origins, programs.sources);
  });
}

type WrittenFile = OutputFile & { readonly origins?: Origins };

async function asJavaScript(files: readonly WrittenFile[]): Promise<readonly WrittenFile[]> {
  const { toJavaScript } = await import("../emit/javascript.ts");
  return files.flatMap(({ origins, ...file }) =>
    toJavaScript(file).map((made) => ({ ...made, ...(origins && { origins }) })),
  );
}

const HINTS: NonNullable<EmitOptions["hints"]> = {
  size: (name) => `give a number for it: sizes: { ${name}: ... }`,
  training: 'leave the training out of the module: only: "forward"',
};

async function tfjsFiles(
  programs: ModelPrograms,
  { stages = USUAL_STAGES }: EmitOptions,
): Promise<readonly WrittenFile[]> {
  const { emitModule } = await import("../emit/tfjs/emit.ts");
  const through = throughPasses(LEFT_OUT.tfjs, stages);
  const forward = through(programs.forward);
  return emitModule({ ...optimized(programs, through), forward }, await shippedSupport("tfjs"));
}

async function standaloneFiles(
  programs: ModelPrograms,
  target: StandaloneTarget,
  { only, relaxed = false, stages = USUAL_STAGES }: EmitOptions,
): Promise<readonly WrittenFile[]> {
  const { emitStandalone } = await import("../emit/standalone/emit.ts");
  const options = {
    ...{ target, fuse: !stages.off.has("fuse"), inference: only === "forward" },
    instructions: relaxed ? (["plain", "relaxed"] as const) : (["plain"] as const),
  };
  const support = await shippedSupport("wasm");
  if (target === "wasm") return [emitStandalone(optimizedFor(programs, "wasm", stages), support, options)];
  const forDevices = optimizedFor(programs, "webgpu", stages);
  const input = target === "webgpu" ? forDevices : optimizedFor(programs, "wasm", stages);
  return [emitStandalone(input, support, { ...options, forDevices })];
}

/** Every program behind the passes that pay for what it runs on. */
export function optimizedFor(programs: ModelPrograms, target: "wasm" | "webgpu", stages = USUAL_STAGES): ModelPrograms {
  const through = throughPasses(LEFT_OUT[target], stages);
  const { stream, forward } = programs;
  // A model that can be run piece by piece is run whole as one piece.
  const run = stream === undefined ? { forward: through(forward) } : { stream: through(stream) };
  return { ...optimized(programs, through), ...run };
}

/** Every block's program behind the passes. */
function optimized(programs: ModelPrograms, through: ReturnType<typeof throughPasses>): ModelPrograms {
  const within = <P extends ModelPrograms["train"][number] | ModelPrograms["generate"][number]>(one: P): P => ({
    ...one,
    program: through(one.program),
  });
  return {
    ...programs,
    train: programs.train.map(within),
    generate: programs.generate.map(within),
  };
}
