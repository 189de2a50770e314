/** Builders of configuration for tests. */
import { completeConfig } from "#config/config-rules.ts";
import { deepFreeze, loadConfig } from "#config/load-config.ts";
import type { Config } from "#config/schema.ts";

type Overrides<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: Overrides<T[Key]> }
    : T;

export type ConfigOverrides = Overrides<Config>;

/**
 * The built-in settings with `overrides` put in; lists are replaced as a whole. Paths start from `directory`, which need not
 * exist. What follows from other settings (control socket, store paths) follows from the overridden ones.
 */
export function defaultConfig(overrides: ConfigOverrides = {}, directory = "/cairn-test"): Config {
  const derived = { node: { controlSocket: "" }, storage: { paths: [] } };
  const { config } = loadConfig([], { directory });
  const merged = merge(merge(config, derived), overrides) as Config;
  return deepFreeze(completeConfig(merged));
}

function merge(base: unknown, changes: unknown): unknown {
  if (!isTable(base) || !isTable(changes)) return changes === undefined ? base : changes;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, change] of Object.entries(changes)) merged[key] = merge(base[key], change);
  return merged;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
