// The subpath airworthy/tokens: counting tokens exactly where the runtime estimates them from above, and both ways side by side.
export { countTokens } from "./tokens/estimate.ts";
export { exactTokens } from "./tokens/exact.ts";
export { createTokenCounter, type TokenCounter } from "./tokens/request-tokens.ts";
