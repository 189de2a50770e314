/** Whether a value is what this program writes for a disk. JSON has no undefined, so that what is not known is left out. Pure. */
import type { DiskFacts } from "#model/disk-facts.ts";

const lists = ["signatures", "partitions", "mounts", "problems"] as const;

export function isDiskFacts(value: unknown): value is DiskFacts {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields.name !== "string" || typeof fields.sizeBytes !== "number") return false;
  if (typeof fields.ofSystem !== "boolean" || typeof fields.bus !== "string") return false;
  if (!lists.every((name) => Array.isArray(fields[name]))) return false;
  return (fields.partitions as readonly unknown[]).every(isPartition);
}

function isPartition(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { name, mounts, signatures } = value as Readonly<Record<string, unknown>>;
  return typeof name === "string" && Array.isArray(mounts) && Array.isArray(signatures);
}
