// The adapters of this package, one for each API the simulated provider speaks.
import { anthropic } from "airworthy/anthropic";
import { openai } from "airworthy/openai";
import type { AdapterFor, SimulatedApi } from "airworthy/testing";

export const adapters: readonly { readonly api: SimulatedApi; readonly adapterFor: AdapterFor }[] = [
  { api: "chat", adapterFor: ({ baseURL }) => openai("gpt-test", { apiKey: "key", baseURL }) },
  { api: "responses", adapterFor: ({ baseURL }) => openai("gpt-test", { api: "responses", apiKey: "key", baseURL }) },
  { api: "messages", adapterFor: ({ url }) => anthropic("claude-test", { apiKey: "key", baseURL: url }) },
];
