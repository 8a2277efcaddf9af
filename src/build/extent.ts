import type { Atom, Size } from "../ir/size.ts";
import { namedSize, sizeNames } from "../ir/size.ts";
import * as make from "../op/make.ts";
import * as maps from "../op/map.ts";
import type { Session } from "./frame.ts";

/** float: the number that a size is; where it depends on a `time`, each example's own (`T-1`, `T/2`). */
export function ownNumber(session: Session, size: Size): string {
  const { builder } = session;
  return differs(session, size) ? make.toFloat(builder, polynomial(session, size)) : make.sizeNumber(builder, size);
}

/** int: the same for a size that is a whole number whatever its names are; undefined for `T/2`. */
export function ownInteger(session: Session, size: Size): string | undefined {
  if (!differs(session, size)) return make.sizeInt(session.builder, size);
  const whole = size.terms.every(
    (term) => term.denominator === 1 && term.factors.every(({ exponent }) => exponent > 0),
  );
  return whole ? polynomial(session, size) : undefined;
}

/** Whether examples differ in it. */
export function differs({ axes }: Session, size: Size): boolean {
  return [...sizeNames(size)].some((name) => axes.lengths(name).length !== undefined);
}

/** int where no term is divided, else float. */
function polynomial(session: Session, size: Size): string {
  const { builder } = session;
  const terms = size.terms.map(({ numerator, denominator, factors }) => {
    let product = make.int(builder, numerator);
    for (const { atom, exponent } of factors) {
      const value = atomNumber(session, atom);
      for (let power = 0; power < Math.abs(exponent); power++) {
        product = exponent > 0 ? make.mul(builder, product, value) : make.div(builder, product, value);
      }
    }
    return denominator === 1 ? product : make.div(builder, product, make.num(builder, denominator));
  });
  return terms.reduce((sum, term) => make.add(builder, sum, term), make.int(builder, 0));
}

/** int: a name, a quotient rounded up, or a part, which is laid out as its whole. */
function atomNumber(session: Session, atom: Atom): string {
  const { builder, axes } = session;
  switch (atom.kind) {
    case "name":
      return axes.lengths(atom.text).length ?? make.sizeInt(builder, namedSize(atom.text));
    case "ceil":
      return make.toInt(builder, make.map(builder, maps.ceil, polynomial(session, atom.of)));
    case "part":
      return make.toInt(builder, polynomial(session, atom.of));
    default:
      return atom satisfies never;
  }
}
