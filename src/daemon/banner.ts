/** What a person sees when the node is up: what to open, and one upload to try. Pure. */

export interface BannerFacts {
  readonly version: string;
  readonly address: string;
  readonly dataDirectory: string;
  readonly durability: "flushed" | "relaxed";
  readonly tracker: number | undefined;
  readonly storage: number | undefined;
  readonly gateway: number | undefined;
  readonly uploads: boolean;
}

export function formatBanner(facts: BannerFacts): string {
  const { address, tracker, storage, gateway } = facts;
  const lines = [`Cairn ${facts.version} is ready. Data: ${facts.dataDirectory}`, ""];
  if (gateway !== undefined) lines.push(`  Open           http://${address}:${gateway}/`);
  if (tracker !== undefined) lines.push(`  FastDFS tracker ${address}:${tracker}`);
  if (storage !== undefined) lines.push(`  FastDFS storage ${address}:${storage}`);
  if (facts.durability === "relaxed") {
    lines.push(
      "",
      "  storage.durability is relaxed: a power cut loses some of what was stored last.",
    );
  }
  if (gateway !== undefined && facts.uploads) {
    lines.push(
      "",
      "Try an upload; it answers with the file's id and URL:",
      "",
      `  curl -F file=@README.md http://${address}:${gateway}/upload`,
    );
  }
  return `${lines.join("\n")}\n\n`;
}
