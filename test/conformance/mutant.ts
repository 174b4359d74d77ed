// What makes a real adapter subtly wrong: one thing changed on its way in or out.
import type { AssistantPart, Model, ModelContext, ModelRequest, ModelResponse } from "airworthy";
import type { SimulatedApi } from "airworthy/testing";

export interface Mutant {
  readonly what: string;
  /** Words in the names of the cases that are there for it. */
  readonly by: string;
  /** Where it is wrong; everywhere when absent. What an API has no word for cannot get lost there. */
  readonly only?: readonly SimulatedApi[];
  readonly wrap: (model: Model) => Model;
}

/** An object without one of its fields. */
export function omit<T extends object, Field extends keyof T>(value: T, field: Field): Omit<T, Field> {
  const { [field]: _left, ...rest } = value;
  return rest;
}

export const calling = (model: Model, call: Model["call"]): Model => ({ ...model, call });
export const asking = (change: (request: ModelRequest) => ModelRequest) => (model: Model) =>
  calling(model, (request, context) => model.call(change(request), context));
export const answering = (change: (response: ModelResponse) => ModelResponse) => (model: Model) =>
  calling(model, async (request, context) => change(await model.call(request, context)));
export const hearing = (change: (context: ModelContext) => ModelContext) => (model: Model) =>
  calling(model, (request, context) => model.call(request, change(context)));

export const withoutThoughts = (parts: readonly AssistantPart[]) => parts.filter(({ type }) => type !== "reasoning");
