// How long one import takes in a process that has done nothing else: `import-process.ts <url>`.
const [url = ""] = process.argv.slice(2);
const startedAt = performance.now();
await import(url);
process.send?.(performance.now() - startedAt);
