import type { Span } from "../base/span.ts";
import { declareFrame } from "./declare.ts";
import { demand } from "./equation.ts";
import type { Context } from "./frame.ts";
import type { InstanceValue, Meaning } from "./value.ts";

/**
 * A weight or part of an instance by its path, `l1.W`, `enc.f` or `enc.f.W.i`: `names` are what stands behind the instance.
 * Undefined where it has no such member.
 */
export function instanceMember(
  context: Context,
  instance: InstanceValue,
  names: readonly string[],
  span: Span,
): Meaning | undefined {
  if (instance.blocks !== undefined) return undefined;
  const { frame } = declareFrame(context, instance, span);
  const own = frame.names.get(names.join("."));
  if (own?.kind === "weight" || own?.kind === "instance") return demand(context.session, own);
  const [first = "", ...rest] = names;
  const part = frame.names.get(first);
  const inner = part?.kind === "instance" && rest.length > 0 ? demand(context.session, part) : undefined;
  return inner?.kind === "instance" ? instanceMember(context, inner, rest, span) : undefined;
}

/** The weights and parts that an instance has, for messages. */
export function instanceMembers(context: Context, instance: InstanceValue, span: Span): readonly string[] {
  const { frame } = declareFrame(context, instance, span);
  return [...frame.names.values()]
    .filter(({ kind }) => kind === "weight" || kind === "instance")
    .map(({ name }) => name);
}
