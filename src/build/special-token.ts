import type { Size } from "../ir/size.ts";
import * as make from "../op/make.ts";
import type { Context } from "./frame.ts";

/** int []: the special tokens that a model names are the last of its vocabularies. */
export function tokenNumber(context: Context, vocabulary: Size, name: "BOS" | "EOS"): string {
  const { builder, specials, specialVocabularies } = context.session;
  specialVocabularies.add(vocabulary.text);
  const back = specials.length - specials.indexOf(name);
  return make.sub(builder, make.sizeInt(builder, vocabulary), make.int(builder, back));
}
