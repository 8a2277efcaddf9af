import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take longest, the longest first: begun late, one would keep one worker busy while the others have nothing left to do. */
const LONGEST: readonly string[] = [
  "models/emitted",
  "wasm/models",
  "pass/models",
  "models/training",
  "browser/applications",
  "package/package",
  "models/gradients",
  "browser/page",
  "webgpu/vectors",
  "target/emit",
  "wasm/threads",
  "emit/webgpu",
  "pass/cells",
  "models/second_order",
  "models/decoding",
  "docs/public",
];

/** Starts the longest files first, then the others as Vitest does. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const first = LONGEST.flatMap((name) => sorted.filter(({ moduleId }) => moduleId.endsWith(`/${name}.test.ts`)));
    return [...first, ...sorted.filter((file) => !first.includes(file))];
  }
}
