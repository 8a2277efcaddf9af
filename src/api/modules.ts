import type { Report } from "../base/diagnostic.ts";
import { openSizes } from "../compile/open-sizes.ts";
import type { Origins } from "../emit/source-map.ts";
import { JOINING_PASSES } from "../pass/pipeline.ts";
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
  const files = await (target === "wasm" ? standaloneFiles : tfjsFiles)(wanted, options);
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
  const through = throughPasses(new Set(), stages);
  const forward = through(programs.forward);
  return emitModule({ ...optimized(programs, through), forward }, await shippedSupport("tfjs"));
}

async function standaloneFiles(
  programs: ModelPrograms,
  { only, relaxed = false, stages = USUAL_STAGES }: EmitOptions,
): Promise<readonly WrittenFile[]> {
  const { emitStandalone } = await import("../emit/standalone/emit.ts");
  const whole = optimizedFor(programs, stages);
  const instructions = relaxed ? (["plain", "relaxed"] as const) : (["plain"] as const);
  const fuse = !stages.off.has("fuse");
  return [emitStandalone(whole, await shippedSupport("wasm"), { instructions, fuse, inference: only === "forward" })];
}

/** Every program behind the passes, for WebAssembly. */
export function optimizedFor(programs: ModelPrograms, stages = USUAL_STAGES): ModelPrograms {
  const through = throughPasses(JOINING_PASSES, stages);
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
