import type { TokenType } from "chevrotain";
import { ExpressionParser } from "./expressions.ts";
import { Identifier, NumberToken, Prime, StringToken, Symbols, word } from "./tokens.ts";

const opens = new Set<TokenType>([Symbols.openParen, Symbols.openBracket, Symbols.openBrace]);
const endsDeclarator = new Set<TokenType>([Symbols.define, Symbols.tilde, Symbols.comma, Symbols.closeBrace]);

/** The rules for `cell`, `layer`, `dist`, `model` and `layout`, and what stands in their braces. */
export class DefinitionParser extends ExpressionParser {
  protected definition = this.RULE("definition", () => {
    this.OR([
      { ALT: () => this.CONSUME(word("cell"), { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(word("layer"), { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(word("dist"), { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(word("model"), { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(word("layout"), { LABEL: "keyword" }) },
    ]);
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION(() => this.SUBRULE(this.parameters));
    this.CONSUME(Symbols.openBrace);
    this.SUBRULE(this.items);
    this.CONSUME(Symbols.closeBrace);
  });

  protected parameters = this.RULE("parameters", () => {
    this.CONSUME(Symbols.openParen);
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== Symbols.closeParen,
      DEF: () => this.listUpTo(Symbols.closeParen, this.parameter),
    });
    this.CONSUME(Symbols.closeParen);
  });

  protected parameter = this.RULE("parameter", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION(() => {
      this.CONSUME(Symbols.define);
      this.SUBRULE(this.expression, { LABEL: "default" });
    });
  });

  // Items of a definition

  items = this.RULE("items", () => {
    this.MANY(() => this.SUBRULE(this.item));
  });

  protected item = this.RULE("item", () => {
    const keyword = !this.startsEquation();
    const GATE = () => keyword;
    this.OR([
      { GATE, ALT: () => this.SUBRULE(this.timeItem) },
      { GATE, ALT: () => this.SUBRULE(this.inItem) },
      { GATE, ALT: () => this.SUBRULE(this.ofItem) },
      { GATE, ALT: () => this.SUBRULE(this.stateItem) },
      { GATE, ALT: () => this.SUBRULE(this.paramItem) },
      { GATE, ALT: () => this.SUBRULE(this.noiseItem) },
      { GATE, ALT: () => this.SUBRULE(this.latentItem) },
      { GATE, ALT: () => this.SUBRULE(this.useItem) },
      { GATE, ALT: () => this.SUBRULE(this.tieItem) },
      { GATE, ALT: () => this.SUBRULE(this.emitItem) },
      { GATE, ALT: () => this.SUBRULE(this.outItem) },
      { ALT: () => this.SUBRULE(this.mapping) },
      { IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.equation) },
    ]);
  });

  protected timeItem = this.RULE("time", () => {
    this.CONSUME(word("time"));
    this.SUBRULE(this.names);
  });

  protected inItem = this.RULE("in", () => {
    this.CONSUME(word("in"));
    this.listOf(this.inDeclarator);
  });

  protected inDeclarator = this.RULE("inDeclarator", () => {
    this.SUBRULE(this.typed);
    this.OPTION(() => {
      this.CONSUME(Symbols.define);
      this.SUBRULE(this.expression, { LABEL: "default" });
    });
  });

  protected ofItem = this.RULE("of", () => {
    this.CONSUME(word("of"));
    this.listOf(this.typed);
  });

  protected typed = this.RULE("typed", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.CONSUME(Symbols.colon);
    this.SUBRULE(this.type);
  });

  protected stateItem = this.RULE("state", () => {
    this.CONSUME(word("state"));
    this.listOf(this.stateDeclarator);
  });

  protected stateDeclarator = this.RULE("stateDeclarator", () => {
    this.SUBRULE(this.typed);
    this.OPTION(() => {
      this.CONSUME(Symbols.define);
      this.SUBRULE(this.expression, { LABEL: "start" });
    });
  });

  protected paramItem = this.RULE("param", () => {
    this.CONSUME(word("param"));
    this.listOf(this.paramDeclarator);
  });

  protected paramDeclarator = this.RULE("paramDeclarator", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION(() => {
      this.CONSUME(Symbols.dot);
      this.OR([
        { ALT: () => this.CONSUME1(Identifier, { LABEL: "member" }) },
        { ALT: () => this.SUBRULE(this.family) },
      ]);
    });
    this.CONSUME(Symbols.colon);
    this.SUBRULE(this.type);
    this.OPTION1(() => {
      this.CONSUME(word("init"));
      this.SUBRULE(this.arithmetic, { LABEL: "init" });
    });
  });

  protected noiseItem = this.RULE("noise", () => {
    this.CONSUME(word("noise"));
    this.listOf(this.drawn);
  });

  protected latentItem = this.RULE("latent", () => {
    this.CONSUME(word("latent"));
    this.listOf(this.drawn);
  });

  protected drawn = this.RULE("drawn", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION(() => this.SUBRULE(this.indices));
    this.CONSUME(Symbols.colon);
    this.SUBRULE(this.type);
    this.CONSUME(Symbols.tilde);
    this.SUBRULE(this.expression, { LABEL: "dist" });
    this.OPTION1({
      GATE: () => this.startsOperand(2) && !this.startsEquation(),
      DEF: () => {
        this.CONSUME(word("prior"));
        this.SUBRULE1(this.expression, { LABEL: "prior" });
      },
    });
  });

  protected indices = this.RULE("indices", () => {
    this.CONSUME(Symbols.openBracket);
    this.listUpTo(Symbols.closeBracket, this.index);
    this.CONSUME(Symbols.closeBracket);
  });

  protected index = this.RULE("index", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION(() => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(word("in"));
            this.SUBRULE(this.expression, { LABEL: "range" });
          },
        },
        {
          ALT: () => {
            this.CONSUME(Symbols.plus);
            this.CONSUME(NumberToken, { LABEL: "offset" });
          },
        },
        {
          ALT: () => {
            this.CONSUME(Symbols.minus);
            this.CONSUME1(NumberToken, { LABEL: "offset" });
          },
        },
      ]);
    });
  });

  protected useItem = this.RULE("use", () => {
    this.CONSUME(word("use"));
    this.listOf(this.useDeclarator);
  });

  protected useDeclarator = this.RULE("useDeclarator", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.CONSUME(Symbols.define);
    this.OPTION({
      GATE: () => this.startsRepeat(),
      DEF: () => this.SUBRULE(this.repeat),
    });
    this.SUBRULE(this.expression, { LABEL: "of" });
  });

  protected repeat = this.RULE("repeat", () => {
    this.OR([
      { ALT: () => this.CONSUME(word("stack"), { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(word("share"), { LABEL: "keyword" }) },
    ]);
    this.OPTION({
      GATE: () => this.LA(2).tokenType === word("in"),
      DEF: () => {
        this.CONSUME(Identifier, { LABEL: "index" });
        this.CONSUME(word("in"));
      },
    });
    this.SUBRULE(this.arithmetic, { LABEL: "count" });
    this.CONSUME(word("of"));
  });

  /** `stack n of Block`: is there an `of` before the declarator ends? Else `stack` is the definition's name. */
  private startsRepeat(): boolean {
    for (let at = 2; this.startsOperand(at) || at > 2; at++) {
      const type = this.LA(at).tokenType;
      if (type === word("of") && at > 2) return !(this.isName(at + 1) && this.LA(at + 2).tokenType === Symbols.colon);
      if (opens.has(type)) at = this.behindGroup(at) - 1;
      else if (endsDeclarator.has(type) || type.name === "EOF") return false;
    }
    return false;
  }

  protected tieItem = this.RULE("tie", () => {
    this.CONSUME(word("tie"));
    this.SUBRULE(this.postfix, { LABEL: "left" });
    this.CONSUME(Symbols.define);
    this.SUBRULE(this.expression, { LABEL: "right" });
  });

  protected equation = this.RULE("equation", () => {
    this.listOf(this.target);
    this.CONSUME(Symbols.define);
    this.SUBRULE(this.expression, { LABEL: "value" });
  });

  protected target = this.RULE("target", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION(() => this.CONSUME(Prime));
    this.OPTION1(() => this.SUBRULE(this.indices));
  });

  protected emitItem = this.RULE("emit", () => {
    this.CONSUME(word("emit"));
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION(() => this.SUBRULE(this.indices));
    this.OPTION1(() => {
      this.CONSUME(Symbols.colon);
      this.SUBRULE(this.type);
    });
    this.CONSUME(Symbols.tilde);
    this.SUBRULE(this.expression, { LABEL: "dist" });
    this.OPTION2(() => {
      this.CONSUME(word("until"));
      this.SUBRULE1(this.expression, { LABEL: "until" });
    });
  });

  protected outItem = this.RULE("out", () => {
    this.CONSUME(word("out"));
    this.listOf(this.expression, { LABEL: "value" });
  });

  protected mapping = this.RULE("mapping", () => {
    this.CONSUME(StringToken);
    this.MANY(() => {
      this.CONSUME(Symbols.plus, { LABEL: "operator" });
      this.CONSUME1(StringToken);
    });
    this.CONSUME(Symbols.arrow);
    this.listOf(this.postfix, { LABEL: "target" });
  });
}
