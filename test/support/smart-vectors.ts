/** smartctl's answers in `test/vectors/smart`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSmartctl, type SmartctlEnd } from "#disks/smart/read-smartctl.ts";
import type { SmartFacts } from "#model/smart-facts.ts";

export function smartVector(name: string): SmartctlEnd & { readonly code: number } {
  const path = join(import.meta.dirname, "../vectors/smart", `${name}.json`);
  const stdout = readFileSync(path, "utf8");
  const { smartctl } = JSON.parse(stdout) as { smartctl: { exit_status: number } };
  return { code: smartctl.exit_status, stdout };
}

export function smartVectorFacts(name: string): SmartFacts {
  const reading = readSmartctl(smartVector(name));
  if (reading.state !== "read") throw new Error(`${name}: ${JSON.stringify(reading)}`);
  return reading.facts;
}
