import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { add } from "../op/map.ts";
import { gather, put } from "../op/move.ts";
import { collect, collectSuffix, prefix, shift, suffix, unwindow, window } from "../op/window.ts";
import { anything, zeros } from "./fill.ts";
import { readUnwindow, readWindow, type WindowContext } from "./windows.ts";

/** The body's value of a node that reads other positions along the loop's axis (`own`: what the node calls that axis). */
export type ReadDelayed = (node: Node, own: string) => string | undefined;

/** Undefined for nodes that read none. */
export function createDelays(context: WindowContext): ReadDelayed {
  const { frame, past } = context;
  const part = createParts(context);
  const sum = createSums(context);
  return (node, own) => {
    if (node.attributes.axis !== own) return undefined;
    const [id = ""] = node.inputs;
    if (isNode(node, shift)) {
      return past.ago(
        id,
        { otherwise: undefined, axis: own, reverse: frame.reverse },
        Math.abs(node.attributes.offset),
      );
    }
    if (isNode(node, window)) return readWindow(context, node);
    if (isNode(node, unwindow)) return readUnwindow(context, node);
    if (isNode(node, prefix)) return part(node, node.attributes.to.id, node.attributes.end >= 1);
    if (isNode(node, suffix)) return part(node, node.attributes.to.id, node.attributes.start <= 0);
    if (isNode(node, collect)) return sum(node, node.attributes.from, node.attributes.end >= 1);
    if (isNode(node, collectSuffix)) return sum(node, node.attributes.from, node.attributes.start <= 0);
    return undefined;
  };
}

/** What a loop carries, before and after this position's value is in it. */
interface Buffer {
  readonly before: string;
  readonly after: () => string;
}

/** `k[:t]`: a buffer of the whole axis, written at each position; `now` says whether the read sees that write. */
function createParts({ frame, inside }: WindowContext): (node: Node, to: string, now: boolean) => string {
  const buffers = new Map<string, Buffer>();
  return (node, to, now) => {
    const [id = ""] = node.inputs;
    const [output] = node.outputs;
    if (output === undefined) throw new Error(`internal: a part of %${id} without a value`);
    const buffer = once(buffers, `${id} ${to}`, () => {
      const name = `${id}.past`;
      const after = (): string => frame.body.add(put, [before, inside(id), frame.position()], { axis: to }, name);
      const before: string = frame.carry(name, anything(frame.before, output.type), after);
      return { before, after };
    });
    return now ? buffer.after() : buffer.before;
  };
}

/** The adjoint of a part: the sum so far of what each position gives to all positions, of which the entry for this one is read. */
function createSums(context: WindowContext): (node: Node, from: string, now: boolean) => string {
  const { frame, inside, typeInside, nameOf } = context;
  const buffers = new Map<string, Buffer>();
  return (node, from, now) => {
    const [id = ""] = node.inputs;
    const buffer = once(buffers, id, () => {
      const name = `${id}.sum`;
      const after = (): string => frame.body.add(add, [before, inside(id)], {}, name);
      const before: string = frame.carry(name, zeros(frame.before, typeInside(id)), after);
      return { before, after };
    });
    const whole = now ? buffer.after() : buffer.before;
    return frame.body.define(nameOf(node.outputs[0]?.id ?? ""), gather, [whole, frame.position()], { axis: from });
  };
}

function once(buffers: Map<string, Buffer>, key: string, make: () => Buffer): Buffer {
  const buffer = buffers.get(key) ?? make();
  buffers.set(key, buffer);
  return buffer;
}
