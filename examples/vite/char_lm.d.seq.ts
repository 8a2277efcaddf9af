/** What CharLM reads. Examples may be of different lengths where they are given as lists. */
export type CharLMInputs = {
    /** int32 [B, T], whole numbers below 22. */
    readonly ids: readonly (readonly number[])[] | ShapedNumbers;
};
/** The parameters of what the model emits. */
export type CharLMOutputs = {
    /** float32 [B, T, 22]. */
    readonly logits: Output<readonly [B: number, T: number, axis: 22]>;
};
/** What a step of letters reads. Examples may be of different lengths where they are given as lists. */
export type CharLMBatch = {
    /** int32 [B, T], whole numbers below 22. */
    readonly ids: readonly (readonly number[])[] | ShapedNumbers;
};
/** What is chosen for one position. */
export type CharLMChosen = {
    /** int32 below 22. */
    readonly ids: number;
};
/** Guesses each letter of a text from those before it. */
export declare class CharLM {
    #private;
    private constructor();
    /**
     * Reads weights from the bytes of a safetensors file.
     * Throws where one is missing or has another shape, and says what was wanted and found.
     */
    static load(bytes: Uint8Array): Promise<CharLM>;
    /** Makes new weights. Each depends on the seed, its name and its shape alone. */
    static init(seed?: number): CharLM;
    /** Runs the model on a batch. */
    forward(inputs: CharLMInputs): Promise<CharLMOutputs>;
    /** float32 [B, T, 22]. */
    logits(inputs: CharLMInputs): Promise<CharLMOutputs["logits"]>;
    /**
     * Runs the model on the next piece of sequences, of any length, and gives the states to go on from. They are the caller's: the same
     * states can be gone on from twice. Without states a sequence begins.
     */
    step(states: States | undefined, inputs: CharLMInputs): Promise<[CharLMOutputs, States]>;
    /**
     * Trains as letters says.
     * A step for each batch; the weights and the optimizer's state stay between calls. A batch that is refused changes nothing.
     */
    train(batches: Iterable<CharLMBatch> | AsyncIterable<CharLMBatch>, options?: TrainOptions): AsyncGenerator<TrainedStep, void, undefined>;
    /**
     * Generates as text says.
     * One position after the other, behind the prompt; it ends after `max` positions (100 where not said) or where the model ends.
     * `temperature` is 0.6 where left out.
     */
    generate(options?: GenerateOptions & {
        readonly temperature?: number | undefined;
    }): AsyncGenerator<CharLMChosen, void, undefined>;
    /** The weights as the bytes of a safetensors file. */
    save(): Promise<Uint8Array>;
    /** Frees the model's memory. Any later call throws. */
    dispose(): void;
}
/** Arrays by input. */
type Inputs = Readonly<Record<string, InputArray | undefined>>;
/** States that a model carries from one piece of a sequence to the next, by name: the caller's, never changed. */
export type States = Readonly<Record<string, Output>>;
/** What a training step gives. */
export interface TrainedStep {
    /** The objective on this batch before the step; in nats where it is a likelihood. */
    readonly loss: number;
    /** Steps done, this one included. */
    readonly step: number;
}
export interface TrainOptions {
    /** Ends the training before the next step; the iterator throws the signal's reason. */
    readonly signal?: AbortSignal | undefined;
    /** What dropout and its kin depend on. */
    readonly seed?: number | undefined;
    /** Steps in all and in an epoch, where the optimizer's schedule needs them. */
    readonly steps?: number | undefined;
    readonly stepsPerEpoch?: number | undefined;
    /**
     * How many steps are done before their losses are given, all at once; 1 where not said. Reading a loss waits for the graphics card, which
     * 10 make a tenth of. Whoever leaves the loop early has done up to so many steps that it has not seen.
     */
    readonly ahead?: number | undefined;
}
export interface GenerateOptions {
    /** One example's arrays. */
    readonly inputs?: Inputs | undefined;
    /** How the first emission begins. */
    readonly prompt?: NumberList | undefined;
    /** How many positions are generated at most, behind the prompt. */
    readonly max?: number | undefined;
    /** What samples depend on. */
    readonly seed?: number | undefined;
    /** Ends the generation before the next position; the iterator throws the signal's reason. */
    readonly signal?: AbortSignal | undefined;
    /** Numbers that say how samples are drawn, as `temperature`; the model's own where left out. */
    readonly drawn?: Readonly<Record<string, number | undefined>> | undefined;
}
/** An array that a model gives: row-major, the batch first where there is one. */
export interface Output<S extends readonly number[] = readonly number[]> {
    readonly shape: S;
    readonly data: Float32Array | Int32Array;
}
/** InputArray in nested lists, the batch first, or row-major with their shape. Rows along a `time` axis may have different lengths. */
export type InputArray = NumberList | ShapedNumbers;
type NumberList = readonly (number | NumberList)[];
export interface ShapedNumbers {
    /** The batch first. */
    readonly shape: readonly number[];
    readonly data: Numbers;
    /** How many positions along the first `time` axis count in each example; all where left out. */
    readonly lengths?: Numbers;
}
/** Numbers of one kind, one after the other. */
type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array | readonly number[];
export {};
