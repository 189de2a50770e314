/**
 * The HTTP gateway: one port that serves the files of a source, takes uploads, and tells its health. Everything it reaches
 * outside of itself is passed in. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { MetricRegistry } from "#base/metrics.ts";
import type { FileSource } from "#gateway/file-source.ts";
import { GatewayHandler } from "#gateway/gateway-handler.ts";
import { GatewayMetrics } from "#gateway/gateway-metrics.ts";
import type { Elsewhere, Receipts } from "#gateway/gateway-services.ts";
import type { GatewaySettings } from "#gateway/gateway-settings.ts";
import { defaultHttpLimits } from "#net/http-limits.ts";
import type { HttpExchangeRecord } from "#net/http-message.ts";
import { HttpServer } from "#net/http-server.ts";
import type { Clock } from "#platform/clock.ts";
import type { Random } from "#platform/random.ts";

export interface GatewayParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly files: FileSource;
  /** Where the gateway's own numbers go, and what `/metrics` shows. */
  readonly metrics: MetricRegistry;
  /** Why a load balancer should look elsewhere, in words; nothing where all is well. Quick, without I/O. */
  readonly readiness: () => readonly string[];
  /** Everybody without it. */
  readonly admits?: (address: string) => boolean;
  readonly elsewhere?: Elsewhere;
  /** Answers `?receipt`. */
  readonly receipt?: Receipts;
  /** Called after each exchange; the target is without its query, which may carry a token. */
  readonly accessLog?: (record: HttpExchangeRecord) => void;
}

export interface RunningGateway {
  readonly port: number;
  /** Takes no new requests, lets those under way finish for at most `deadlineMs`, then cuts them off. */
  stop(deadlineMs: number): Promise<void>;
}

export class GatewayRole {
  readonly name = "gateway";
  readonly #settings: GatewaySettings;
  readonly #parts: GatewayParts;
  #metrics: GatewayMetrics | undefined;

  constructor(settings: GatewaySettings, parts: GatewayParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Resolves once requests are served; rejects when the port cannot be had, or `signal` is aborted before. */
  async start(signal: AbortSignal): Promise<RunningGateway> {
    signal.throwIfAborted();
    const { bind, port, maxConnections, networkTimeoutMs } = this.#settings;
    this.#metrics ??= new GatewayMetrics(this.#parts.metrics);
    const metrics = this.#metrics;
    const handler = this.#handler();
    const server = new HttpServer({
      clock: this.#parts.clock,
      log: this.#parts.log,
      limits: { ...defaultHttpLimits, maxConnections, stallTimeoutMs: networkTimeoutMs },
      handler: (request) => handler.answer(request),
      onExchange: (record) => {
        metrics.count(record);
        this.#note(record);
      },
    });
    const found = await server.listen(bind, port);
    if (signal.aborted) await server.stop(0);
    signal.throwIfAborted();
    metrics.watch(server);
    return { port: found, stop: (deadlineMs) => server.stop(deadlineMs) };
  }

  #handler(): GatewayHandler {
    const { files, clock, random, log, elsewhere, receipt, ...rest } = this.#parts;
    const { metrics, readiness, admits } = rest;
    return new GatewayHandler({
      services: { settings: this.#settings, files, clock, random, log, elsewhere, receipt },
      metrics,
      readiness,
      admits: admits ?? (() => true),
    });
  }

  #note(record: HttpExchangeRecord): void {
    const [path = ""] = record.target.split("?", 1);
    this.#parts.accessLog?.({ ...record, target: path });
    this.#parts.log.debug("exchange", {
      method: record.method,
      path,
      status: record.status,
      from: record.remoteAddress,
      receivedBytes: record.receivedBytes,
      sentBytes: record.sentBytes,
      durationMs: Math.round(record.durationMs),
      complete: record.complete,
    });
  }
}
