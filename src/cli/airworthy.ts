#!/usr/bin/env node
// The command `airworthy`: hands the arguments on, prints, and exits.
import process from "node:process";
import { runCommand } from "./commands.ts";

const { out, error, code } = runCommand(process.argv.slice(2));
process.stdout.write(out);
process.stderr.write(error);
process.exitCode = code;
