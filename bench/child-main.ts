import type { Answer, Question } from "./child.ts";
import { CLOCKS } from "./clock.ts";
import { shareTfjs } from "./one-tfjs.ts";
import { isSide, type Side } from "./side.ts";

/** What a child does: its side, run as often as it is asked. */
async function serve(workload: string, name: string): Promise<void> {
  shareTfjs();
  const { WORKLOADS } = await import("./workloads.ts");
  const found = WORKLOADS.find((each) => each.name === workload);
  const open = isSide(name) ? found?.sides.get(name) : undefined;
  const opened = open?.();
  process.on("message", (question: Question) => {
    answer(question, opened)
      .catch((cause: unknown) => ({ error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }))
      .then((given) => process.send?.({ ...given, processor: CLOCKS.processor() } satisfies Answer));
  });
}

async function answer(question: Question, opened: Promise<Side> | undefined): Promise<Omit<Answer, "processor">> {
  const side = await opened;
  if (side === undefined) throw new Error("there is no such side");
  if (question.ask === "check") return { results: await side.check() };
  const clock = CLOCKS[question.clock];
  const start = clock();
  await side.run();
  return { milliseconds: clock() - start };
}

const [workload = "", side = ""] = process.argv.slice(2);
await serve(workload, side);
