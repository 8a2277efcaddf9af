import type { Span } from "../base/span.ts";
import { itemExpressions } from "../check/mentions.ts";
import type { Axis } from "../ir/type.ts";
import type { Equation, Item, ParamDeclarator, StateItem } from "../syntax/tree.ts";
import { descendants } from "../syntax/walk.ts";
import { evaluateEquation } from "./define.ts";
import { demand } from "./equation.ts";
import { evaluate } from "./expression.ts";
import {
  type Context,
  type Frame,
  frameContext,
  knownSlot,
  lazySlot,
  type Session,
  type Slot,
  type SlotGroup,
} from "./frame.ts";
import { instanceOf } from "./instance.ts";
import { latentValue } from "./latent.ts";
import { settleLong } from "./long.ts";
import { drawn } from "./noise.ts";
import { INVALID, type InstanceValue, type Meaning, type TensorValue } from "./value.ts";
import { familyMembers, weightValue, withInitials } from "./weight.ts";

export interface BoundInput {
  readonly name: string;
  readonly kind: "in" | "state";
  readonly value: TensorValue;
  readonly span: Span;
}

/** A definition whose parameters are known; its inputs are not yet. */
export interface Scope {
  readonly frame: Frame;
  readonly context: Context;
  /** Gives the inputs and states, and with them every other name. */
  readonly complete: (hidden: readonly Axis[], inputs: readonly BoundInput[]) => Frame;
}

/** Opens a definition: parameters, weights and instances get their names. */
export function declareFrame(context: Context, instance: InstanceValue, span: Span): Scope {
  const { session } = context;
  session.modules.budget?.spend();
  const frame: Frame = {
    file: instance.file,
    definition: instance.definition,
    path: instance.path,
    hidden: context.hidden,
    names: new Map(),
    caller: { frame: context.frame, span },
    made: instance.declared,
  };
  declareParameters(session, frame, instance, span);
  for (const item of instance.definition.items) declareStatic(session, frame, item);
  return {
    frame,
    context: frameContext(session, frame),
    complete: (hidden, inputs) => completeFrame(session, { ...frame, hidden }, inputs),
  };
}

function declareParameters(session: Session, frame: Frame, instance: InstanceValue, span: Span): void {
  for (const parameter of instance.definition.parameters) {
    const given = instance.parameters.get(parameter.name.text);
    const { text } = parameter.name;
    if (given !== undefined) declare(session, frame, knownSlot(text, parameter.span, "parameter", given));
    else if (parameter.default !== undefined) {
      const meaning = evaluate(frameContext(session, frame), parameter.default);
      declare(session, frame, knownSlot(text, parameter.span, "parameter", meaning));
    } else {
      session.report.add("missing-parameter", span, `${instance.definition.name.text} needs ${text}`, {
        related: [{ span: parameter.span, message: "it has no default" }],
        hint: `write ${instance.definition.name.text}(..., ${text}: ...)`,
      });
      declare(session, frame, knownSlot(text, parameter.span, "parameter", INVALID));
    }
  }
}

/** Adds a name; a second meaning in one definition is reported and dropped. */
export function declare(session: Session, frame: Frame, slot: Slot): void {
  const before = frame.names.get(slot.name);
  if (before === undefined) {
    frame.names.set(slot.name, slot);
    return;
  }
  if (before.kind === "size") return;
  session.report.add("duplicate-name", slot.span, `${slot.name} already has a meaning here`, {
    related: [{ span: before.span, message: "first given here" }],
    hint: before.kind === "state" ? `the next value of a state is ${slot.name}'` : "choose another name",
  });
}

function declareStatic(session: Session, frame: Frame, item: Item): void {
  if (item.kind === "param") {
    for (const { declarator, initial } of withInitials(item)) declareWeights(session, frame, declarator, initial);
  }
  if (item.kind === "use") {
    for (const use of item.uses) {
      const make = (): Meaning => instanceOf(frameContext(session, frame), use);
      declare(session, frame, lazySlot(use.name.text, use.name.span, "instance", frame, make));
    }
  }
}

function declareWeights(
  session: Session,
  frame: Frame,
  declarator: ParamDeclarator,
  initial: ParamDeclarator["init"],
): void {
  const { name, members } = declarator;
  if (members !== undefined && !frame.names.has(name.text)) {
    declare(session, frame, knownSlot(name.text, name.span, "family", INVALID));
  }
  for (const { key, span } of familyMembers(declarator)) {
    const value = (): Meaning => weightValue(frameContext(session, frame), declarator, initial, key, span);
    declare(session, frame, lazySlot(key, span, "weight", frame, value));
  }
}

/** Weights are made in the order of their declarations, used or not. */
function completeFrame(session: Session, frame: Frame, inputs: readonly BoundInput[]): Frame {
  for (const input of inputs) declare(session, frame, knownSlot(input.name, input.span, input.kind, input.value));
  for (const item of frame.definition.items) {
    if (item.kind === "in") {
      for (const { name, default: instead } of item.names) {
        if (instead === undefined || frame.names.has(name.text)) continue;
        declare(
          session,
          frame,
          lazySlot(name.text, name.span, "in", frame, () => evaluate(frameContext(session, frame), instead)),
        );
      }
    }
    if (item.kind === "noise") {
      for (const draw of item.names) {
        declare(
          session,
          frame,
          lazySlot(draw.name.text, draw.name.span, "noise", frame, () => drawn(frameContext(session, frame), draw)),
        );
      }
    }
    if (item.kind === "latent") {
      for (const latent of item.names) {
        const { text, span } = latent.name;
        declare(
          session,
          frame,
          lazySlot(text, span, "noise", frame, () => latentValue(frameContext(session, frame), latent)),
        );
      }
    }
    if (item.kind === "equation") declareEquation(session, frame, item);
  }
  checkStates(session, frame);
  for (const slot of [...frame.names.values()]) if (slot.kind === "weight") demand(session, slot);
  settleLong(session, frame);
  return frame;
}

/** The names of one equation are found out together. */
export function declareEquation(session: Session, frame: Frame, equation: Equation): void {
  const group: SlotGroup = { state: "todo", meanings: [], assumed: undefined, recursive: false };
  equation.targets.forEach((target, index) => {
    const name = checkedTarget(session, frame, target);
    const compute = (): readonly Meaning[] => evaluateEquation(session, frame, equation);
    declare(session, frame, { name, span: target.name.span, kind: "equation", compute, equation, group, index, frame });
  });
}

/** The name that a target gives a value: `h'` where it was meant, so that one mistake is reported once. */
function checkedTarget(
  session: Session,
  frame: Frame,
  { name: { text, span }, primed }: Equation["targets"][number],
): string {
  const before = frame.names.get(text);
  const at = { ...span, start: span.end };
  if (primed && before?.kind !== "state" && before?.kind !== "weight") {
    const primes = [{ ...at, end: at.end + 1 }, ...primedReferences(frame.definition, text)];
    session.report.add(
      "not-a-state",
      { ...span, end: span.end + 1 },
      `${text} is neither a state nor a param: it has no next value`,
      {
        related: before === undefined ? [] : [{ span: before.span, message: `${text} is declared here` }],
        hint: `declare state ${text}: [...] in a cell, or leave the prime out`,
        fix: { title: `write ${text} without the prime`, edits: primes.map((prime) => ({ span: prime, text: "" })) },
      },
    );
  }
  if (!primed && before?.kind === "state") {
    session.report.add("missing-prime", span, `${text} is a state: its next value is ${text}'`, {
      related: [{ span: before.span, message: "declared here" }],
      hint: `write ${text}' = ...; ${text} alone is the value before this step`,
      fix: { title: `write ${text}'`, edits: [{ span: at, text: "'" }] },
    });
  }
  return primed || before?.kind === "state" ? `${text}'` : text;
}

/** Where `y'` is read: the places of the primes. */
function primedReferences(definition: Frame["definition"], name: string): readonly Span[] {
  return definition.items
    .flatMap(itemExpressions)
    .flatMap((expression) => [...descendants(expression)])
    .flatMap((found) =>
      found.kind === "reference" && found.primed && found.name === name
        ? [{ ...found.span, start: found.span.end - 1 }]
        : [],
    );
}

function checkStates(session: Session, frame: Frame): void {
  const states = frame.definition.items.flatMap((item): readonly StateItem["names"][number][] =>
    item.kind === "state" ? item.names : [],
  );
  for (const state of states) {
    if (frame.names.has(`${state.name.text}'`)) continue;
    const plain = frame.definition.items.some(
      (item) => item.kind === "equation" && item.targets.some((target) => target.name.text === state.name.text),
    );
    if (plain) continue;
    session.report.add("missing-next", state.name.span, `${state.name.text} never gets a next value`, {
      hint: `write ${state.name.text}' = ...`,
    });
  }
}
