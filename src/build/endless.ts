import type { Span } from "../base/span.ts";
import type { Definition } from "../syntax/tree.ts";
import type { Context, Frame } from "./frame.ts";
import type { InstanceValue } from "./value.ts";

/** How deep a definition may stand inside itself: one that ends, by a stack of no blocks, ends earlier. */
const DEEPEST_IN_ITSELF = 64;
const DEEPEST = 192;
/** Applications of one elaboration: a stack of 4096 blocks has room; definitions that each apply another twice end here. */
const MOST_APPLIED = 30_000;

/** Whether an application would be one too many, which is reported: definitions can use each other without end, or too much. */
export function isEndless(context: Context, instance: InstanceValue): boolean {
  const { session } = context;
  const circle = session.depth >= DEEPEST_IN_ITSELF ? circleOf(context, instance) : undefined;
  if (circle !== undefined) {
    reportCircle(context, circle);
    return true;
  }
  if (session.depth < DEEPEST && session.applied < MOST_APPLIED) return false;
  let whole = context.frame;
  while (whole.caller !== undefined) whole = whole.caller.frame;
  const { text, span } = whole.definition.name;
  const what =
    session.depth < DEEPEST
      ? `${text} applies definitions more than ${MOST_APPLIED} times in all`
      : `${text} has definitions inside each other, more than ${DEEPEST} deep`;
  session.report.add("too-involved", span, what, {
    hint: "repeat along an index, or by a scan: these take no more for more steps",
  });
  return true;
}

interface Step {
  readonly definition: Definition;
  readonly made: Span;
}

/** From the definition's last application that is still going on to this one; undefined where it is not inside itself. */
function circleOf(context: Context, { definition, declared }: InstanceValue): readonly Step[] | undefined {
  const circle: Step[] = [{ definition, made: declared }];
  for (let frame: Frame | undefined = context.frame; frame !== undefined; frame = frame.caller?.frame) {
    if (frame.definition === definition) return circle;
    circle.unshift(frame);
  }
  return undefined;
}

/** Which definitions use each other, told at the first of them in the file. */
function reportCircle(context: Context, steps: readonly Step[]): void {
  const first = steps.reduce((best, step) => (step.definition.span.start < best.definition.span.start ? step : best));
  const at = steps.indexOf(first);
  const order = [...steps.slice(at), ...steps.slice(0, at)].map((step) => step.definition.name.text);
  context.session.report.add(
    "endless-definition",
    first.definition.name.span,
    `${order[0]} uses itself without end: ${[...order, order[0]].join(" → ")}`,
    {
      related: steps.map(({ made, definition: { name } }) => ({ span: made, message: `${name.text} is used here` })),
      hint: "nothing is repeated by a definition that uses itself: write use f = stack 3 of ...",
    },
  );
}
