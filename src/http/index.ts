// What `airworthy/http` offers: an agent behind a fetch-style handler, and the bridge from Node's own requests to it.
export { type AgentHandler, type AgentHandlerOptions, agentHandler, type CloseOptions, handlerDefaults } from "./agent-handler.ts";
export type { ServedAgent } from "./asked-again.ts";
export type { ClientError, ClientResult } from "./client-result.ts";
export { nodeListener, type RequestHandler } from "./node-listener.ts";
