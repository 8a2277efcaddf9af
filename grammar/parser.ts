import type { IParserConfig } from "chevrotain";
import { DefinitionParser } from "./definitions.ts";
import { Identifier, StringToken, Symbols, word } from "./tokens.ts";

/** The whole grammar; every rule can be the start, so a broken file is read part by part. */
export class SeqParser extends DefinitionParser {
  constructor(config: IParserConfig) {
    super(config);
    this.performSelfAnalysis();
  }

  file = this.RULE("file", () => {
    this.MANY(() => this.SUBRULE(this.declaration));
  });

  declaration = this.RULE("declaration", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.importDeclaration) },
      { ALT: () => this.SUBRULE(this.definition) },
      { ALT: () => this.SUBRULE(this.train) },
      { ALT: () => this.SUBRULE(this.generate) },
      { ALT: () => this.SUBRULE(this.expect) },
    ]);
  });

  protected importDeclaration = this.RULE("import", () => {
    this.CONSUME(word("import"));
    this.CONSUME(Symbols.openBrace);
    this.listUpTo(Symbols.closeBrace, this.imported);
    this.CONSUME(Symbols.closeBrace);
    this.CONSUME(word("from"));
    this.CONSUME(StringToken);
  });

  protected imported = this.RULE("imported", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION({
      GATE: () => this.isName(2),
      DEF: () => {
        this.CONSUME(word("as"));
        this.CONSUME1(Identifier, { LABEL: "alias" });
      },
    });
  });

  protected expect = this.RULE("expect", () => {
    this.CONSUME(word("expect"));
    this.SUBRULE(this.chosen, { LABEL: "value" });
    this.OPTION(() => {
      this.OR([
        { ALT: () => this.CONSUME(word("kB"), { LABEL: "unit" }) },
        { ALT: () => this.CONSUME(word("MB"), { LABEL: "unit" }) },
        { ALT: () => this.CONSUME(word("GB"), { LABEL: "unit" }) },
      ]);
    });
  });

  protected train = this.RULE("train", () => {
    this.CONSUME(word("train"));
    this.CONSUME(Identifier, { LABEL: "name" });
    this.CONSUME(word("of"));
    this.SUBRULE(this.postfix, { LABEL: "model" });
    this.CONSUME(Symbols.openBrace);
    this.SUBRULE(this.trainClauses);
    this.CONSUME(Symbols.closeBrace);
  });

  // Clauses of `train`

  trainClauses = this.RULE("trainClauses", () => {
    this.MANY(() => this.SUBRULE(this.trainClause));
  });

  protected trainClause = this.RULE("trainClause", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.data) },
      { ALT: () => this.SUBRULE(this.split) },
      { ALT: () => this.SUBRULE(this.objective) },
      { ALT: () => this.SUBRULE(this.bptt) },
      { ALT: () => this.SUBRULE(this.optim) },
      { ALT: () => this.SUBRULE(this.clip) },
      { ALT: () => this.SUBRULE(this.batch) },
      { ALT: () => this.SUBRULE(this.for_) },
      { ALT: () => this.SUBRULE(this.report) },
      { ALT: () => this.SUBRULE(this.stop) },
      { ALT: () => this.SUBRULE(this.save) },
      { ALT: () => this.SUBRULE(this.seed) },
      { ALT: () => this.SUBRULE(this.load) },
      { ALT: () => this.SUBRULE(this.freeze) },
      { ALT: () => this.SUBRULE(this.teacherForcing) },
      { ALT: () => this.SUBRULE(this.copy) },
    ]);
  });

  protected data = this.RULE("data", () => {
    this.CONSUME(word("data"));
    this.SUBRULE(this.source);
  });

  protected source = this.RULE("source", () => {
    this.SUBRULE(this.names);
    this.CONSUME(Symbols.define);
    this.SUBRULE(this.expression, { LABEL: "reader" });
    this.OPTION(() => {
      this.CONSUME(word("where"));
      this.SUBRULE1(this.expression, { LABEL: "where" });
    });
  });

  protected split = this.RULE("split", () => {
    this.OR([
      { ALT: () => this.CONSUME(word("val"), { LABEL: "role" }) },
      { ALT: () => this.CONSUME(word("test"), { LABEL: "role" }) },
    ]);
    const shared = !this.startsEquation();
    this.OR1([
      {
        GATE: () => shared,
        ALT: () => {
          this.OR2([
            { ALT: () => this.CONSUME(word("last"), { LABEL: "from" }) },
            { ALT: () => this.CONSUME(word("random"), { LABEL: "from" }) },
          ]);
          this.SUBRULE(this.amount);
          this.OR3({
            ERR_MSG: "`%` or `rows`",
            DEF: [
              { ALT: () => this.CONSUME(Symbols.remainder, { LABEL: "unit" }) },
              { ALT: () => this.CONSUME(word("row"), { LABEL: "unit" }) },
              { ALT: () => this.CONSUME(word("rows"), { LABEL: "unit" }) },
            ],
          });
        },
      },
      { IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.source) },
    ]);
  });

  /** No `%` between its operands: behind an amount it is the unit. */
  protected amount = this.RULE("amount", () => {
    this.SUBRULE(this.unary, { LABEL: "operand" });
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(Symbols.times, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(Symbols.divide, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(Symbols.power, { LABEL: "operator" }) },
      ]);
      this.SUBRULE1(this.unary, { LABEL: "operand" });
    });
  });

  protected parts = this.RULE("parts", () => {
    this.listOf(this.postfix, { LABEL: "part" });
  });

  protected objective = this.RULE("objective", () => {
    this.OR([
      { ALT: () => this.CONSUME(word("minimize"), { LABEL: "direction" }) },
      { ALT: () => this.CONSUME(word("maximize"), { LABEL: "direction" }) },
    ]);
    this.SUBRULE(this.expression, { LABEL: "value" });
    this.OPTION(() => {
      this.CONSUME(word("on"));
      this.SUBRULE(this.parts);
    });
    this.OPTION1(() => {
      this.CONSUME(word("every"));
      this.SUBRULE(this.arithmetic, { LABEL: "every" });
    });
  });

  protected bptt = this.RULE("bptt", () => {
    this.CONSUME(word("bptt"));
    this.SUBRULE(this.arithmetic);
  });

  protected optim = this.RULE("optim", () => {
    this.CONSUME(word("optim"));
    this.SUBRULE(this.expression);
    this.OPTION(() => {
      this.CONSUME(word("on"));
      this.SUBRULE(this.parts);
    });
  });

  protected clip = this.RULE("clip", () => {
    this.CONSUME(word("clip"));
    this.SUBRULE(this.expression);
  });

  protected batch = this.RULE("batch", () => {
    this.CONSUME(word("batch"));
    this.SUBRULE(this.arithmetic);
    this.OPTION(() => this.CONSUME(word("tokens")));
  });

  protected for_ = this.RULE("for", () => {
    this.CONSUME(word("for"));
    this.SUBRULE(this.arithmetic);
    this.SUBRULE(this.unit);
  });

  protected unit = this.RULE("unit", () => {
    this.OR([
      { ALT: () => this.CONSUME(word("epochs"), { LABEL: "unit" }) },
      { ALT: () => this.CONSUME(word("epoch"), { LABEL: "unit" }) },
      { ALT: () => this.CONSUME(word("steps"), { LABEL: "unit" }) },
      { ALT: () => this.CONSUME(word("step"), { LABEL: "unit" }) },
    ]);
  });

  protected report = this.RULE("report", () => {
    this.CONSUME(word("report"));
    this.listOf(this.metric);
  });

  protected metric = this.RULE("metric", () => {
    this.OPTION({
      GATE: () => this.LA(2).tokenType === Symbols.define,
      DEF: () => {
        this.CONSUME(Identifier, { LABEL: "name" });
        this.CONSUME(Symbols.define);
      },
    });
    this.SUBRULE(this.chosen, { LABEL: "value" });
  });

  protected stop = this.RULE("stop", () => {
    this.CONSUME(word("stop"));
    this.CONSUME(word("when"));
    this.SUBRULE(this.postfix, { LABEL: "metric" });
    this.CONSUME(word("stalls"));
    this.SUBRULE(this.arithmetic, { LABEL: "patience" });
    this.SUBRULE(this.unit);
  });

  protected save = this.RULE("save", () => {
    this.CONSUME(word("save"));
    this.OPTION(() => {
      this.CONSUME(word("best"));
      this.SUBRULE(this.postfix, { LABEL: "best" });
    });
    this.CONSUME(word("to"));
    this.CONSUME(StringToken);
  });

  protected seed = this.RULE("seed", () => {
    this.CONSUME(word("seed"));
    this.SUBRULE(this.arithmetic);
  });

  protected load = this.RULE("load", () => {
    this.CONSUME(word("load"));
    this.OPTION(() => this.SUBRULE(this.postfix, { LABEL: "part" }));
    this.CONSUME(word("from"));
    this.OR([{ ALT: () => this.CONSUME(StringToken) }, { ALT: () => this.CONSUME(Identifier, { LABEL: "name" }) }]);
    this.OPTION1(() => {
      this.OR1([
        {
          ALT: () => {
            this.CONSUME(word("as"));
            this.SUBRULE1(this.postfix, { LABEL: "layout" });
          },
        },
        {
          ALT: () => {
            this.CONSUME(Symbols.openBrace);
            this.SUBRULE(this.mappings);
            this.CONSUME(Symbols.closeBrace);
          },
        },
      ]);
    });
  });

  protected mappings = this.RULE("mappings", () => {
    this.MANY(() => this.SUBRULE(this.mapping));
  });

  protected freeze = this.RULE("freeze", () => {
    this.CONSUME(word("freeze"));
    this.SUBRULE(this.parts);
    this.OPTION(() => {
      this.CONSUME(word("until"));
      this.OR([
        { ALT: () => this.CONSUME(word("epoch"), { LABEL: "unit" }) },
        { ALT: () => this.CONSUME(word("step"), { LABEL: "unit" }) },
      ]);
      this.SUBRULE(this.arithmetic, { LABEL: "count" });
    });
  });

  protected teacherForcing = this.RULE("teacherForcing", () => {
    this.CONSUME(word("teacher_forcing"));
    this.CONSUME(Identifier, { LABEL: "name" });
    this.SUBRULE(this.expression, { LABEL: "schedule" });
  });

  protected copy = this.RULE("copy", () => {
    this.CONSUME(word("copy"));
    this.SUBRULE(this.postfix, { LABEL: "from" });
    this.CONSUME(word("to"));
    this.SUBRULE1(this.postfix, { LABEL: "to" });
    this.CONSUME(word("every"));
    this.SUBRULE(this.arithmetic, { LABEL: "every" });
    this.SUBRULE(this.unit);
  });

  // Clauses of `generate`

  protected generate = this.RULE("generate", () => {
    this.CONSUME(word("generate"));
    this.CONSUME(Identifier, { LABEL: "name" });
    this.CONSUME(word("of"));
    this.SUBRULE(this.postfix, { LABEL: "model" });
    this.CONSUME(Symbols.openBrace);
    this.SUBRULE(this.generateClauses);
    this.CONSUME(Symbols.closeBrace);
  });

  generateClauses = this.RULE("generateClauses", () => {
    this.MANY(() => this.SUBRULE(this.generateClause));
  });

  protected generateClause = this.RULE("generateClause", () => {
    const option = this.startsOperand(2) && this.LA(2).tokenType !== word("by");
    const named = this.LA(2).tokenType === Symbols.define;
    this.OR([
      { GATE: () => option, ALT: () => this.SUBRULE(this.generateOption) },
      { GATE: () => named, IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.set) },
      { IGNORE_AMBIGUITIES: true, ALT: () => this.SUBRULE(this.show) },
    ]);
  });

  protected generateOption = this.RULE("generateOption", () => {
    this.OR([
      { ALT: () => this.CONSUME(word("prompt"), { LABEL: "option" }) },
      { ALT: () => this.CONSUME(word("max"), { LABEL: "option" }) },
      { ALT: () => this.CONSUME(word("count"), { LABEL: "option" }) },
      { ALT: () => this.CONSUME(word("seed"), { LABEL: "option" }) },
    ]);
    this.SUBRULE(this.expression);
  });

  protected set = this.RULE("set", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.CONSUME(Symbols.define);
    this.SUBRULE(this.expression);
  });

  protected show = this.RULE("show", () => {
    this.CONSUME(Identifier, { LABEL: "name" });
    this.OPTION({
      GATE: () => this.startsOperand(2),
      DEF: () => {
        this.CONSUME(word("by"));
        this.SUBRULE(this.expression, { LABEL: "method" });
      },
    });
  });
}
