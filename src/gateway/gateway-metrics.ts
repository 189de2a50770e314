/** What the gateway counts of its exchanges. Labels are bounded: methods that we know, classes of status. Main thread. */
import type {
  CounterSeries,
  GaugeSeries,
  HistogramSeries,
  Metric,
  MetricRegistry,
} from "#base/metrics.ts";
import type { HttpExchangeRecord } from "#net/http-message.ts";

const knownMethods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
]);

const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

export interface ConnectionFacts {
  readonly connectionCount: number;
  readonly refusedCount: number;
}

export class GatewayMetrics {
  readonly #requests: Metric<"method" | "status", CounterSeries>;
  readonly #durations: Metric<"method", HistogramSeries>;
  readonly #received: CounterSeries;
  readonly #sent: CounterSeries;
  readonly #broken: CounterSeries;
  readonly #connections: GaugeSeries;
  readonly #refused: CounterSeries;
  /** The server of now; a role that was restarted has another one. */
  #facts: ConnectionFacts | undefined;
  #refusedBefore = 0;

  constructor(registry: MetricRegistry) {
    this.#requests = registry.counter({
      name: "gateway_requests",
      help: "HTTP requests that were answered, by method and class of status.",
      labels: ["method", "status"],
    });
    this.#durations = registry.histogram({
      name: "gateway_request_duration_seconds",
      help: "From the header of a request to the last byte of its reply.",
      unit: "seconds",
      labels: ["method"],
      buckets: durationBuckets,
    });
    this.#received = bytes(registry, "gateway_received_bytes", "Bytes of request bodies.");
    this.#sent = bytes(registry, "gateway_sent_bytes", "Bytes of response bodies.");
    this.#broken = registry
      .counter({
        name: "gateway_replies_broken",
        help: "Replies whose client went away before the end.",
      })
      .with({});
    this.#connections = registry
      .gauge({ name: "gateway_connections", help: "Open HTTP connections." })
      .with({});
    this.#refused = registry
      .counter({
        name: "gateway_connections_refused",
        help: "HTTP connections that were closed at once because there were too many.",
      })
      .with({});
    registry.beforeRender(() => this.#look());
  }

  watch(facts: ConnectionFacts): void {
    this.#look();
    this.#facts = facts;
    this.#refusedBefore = 0;
  }

  count(record: HttpExchangeRecord): void {
    const method = knownMethods.has(record.method) ? record.method : "other";
    const status = `${Math.floor(record.status / 100)}xx`;
    this.#requests.with({ method, status }).add();
    this.#durations.with({ method }).observe(record.durationMs / 1000);
    this.#received.add(record.receivedBytes);
    this.#sent.add(record.sentBytes);
    if (!record.complete) this.#broken.add();
  }

  #look(): void {
    const facts = this.#facts;
    if (facts === undefined) return;
    this.#connections.set(facts.connectionCount);
    this.#refused.add(facts.refusedCount - this.#refusedBefore);
    this.#refusedBefore = facts.refusedCount;
  }
}

function bytes(registry: MetricRegistry, name: string, help: string): CounterSeries {
  return registry.counter({ name, help, unit: "bytes" }).with({});
}
