/** Exchanges out of a JSON file of those recorded by a program that spoke to the reference: frames in hexadecimal, and when. */
import type { Exchange } from "./exchange.ts";

interface Recorded {
  readonly command: number;
  readonly request: string;
  /** Empty where the server closed the connection. */
  readonly reply: string;
  readonly note: string;
  readonly width: 16 | 46;
  readonly at: string;
}

export function recordedExchanges(json: string): readonly Exchange[] {
  return (JSON.parse(json) as readonly Recorded[]).map((exchange) => ({
    command: exchange.command,
    request: Buffer.from(exchange.request, "hex"),
    reply: exchange.reply === "" ? undefined : Buffer.from(exchange.reply, "hex"),
    width: exchange.width,
    note: exchange.note,
    origin: { kind: "recorded", source: `C FastDFS 6.16.1, ${exchange.at}` },
  }));
}
