/** Source files that no test file mirrors, each with what tests it instead. Remove a line as soon as a mirror exists. */
import type { Exemption } from "./rules/mirrors.ts";

export const mirrorExemptions: readonly Exemption[] = [];
