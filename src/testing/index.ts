// What `airworthy/testing` offers to tests of one's own agents. Invariant: no test runner is needed to use it.
export { type AutoClockOptions, autoClock, type FakeClock, fakeClock } from "./fake-clock.ts";
export {
  hang,
  hangForever,
  type Script,
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedFunction,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
  scriptedModel,
} from "./scripted-model.ts";
export {
  type SimulatedProvider,
  type SimulatedProviderOptions,
  type SimulatedRequest,
  type SimulatedRule,
  simulatedProvider,
} from "./simulated-provider.ts";
export type { SimulatedAnswer, SimulatedBody, SimulatedCall, SimulatedFault, SimulatedReply } from "./simulated-reply.ts";
