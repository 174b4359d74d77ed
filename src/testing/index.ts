// What `airworthy/testing` offers to tests of one's own agents. Invariant: no test runner is needed to use it.
export { type Fault, type FaultEnd, faultTable } from "./conformance/fault-table.ts";
export { type MeasuredFault, measureFault } from "./conformance/measured-fault.ts";
export { modelConformance } from "./conformance/model-conformance.ts";
export type { AdapterFor, ConformanceCase } from "./conformance/one-call.ts";
export { type StoreConformanceOptions, storeConformance } from "./conformance/store-conformance.ts";
export type { StoreFor, StoreUnderTest } from "./conformance/store-under-test.ts";
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
export { type FaultMixOptions, faultMix, passingFaults } from "./simulated-provider/fault-mix.ts";
export type {
  SimulatedAnswer,
  SimulatedCall,
  SimulatedFault,
  SimulatedReply,
} from "./simulated-provider/reply.ts";
export type { SimulatedApi, SimulatedBody, SimulatedMessage, SimulatedTurn } from "./simulated-provider/request.ts";
export {
  type SimulatedProvider,
  type SimulatedProviderOptions,
  type SimulatedRequest,
  type SimulatedRule,
  simulatedProvider,
} from "./simulated-provider/simulated-provider.ts";
