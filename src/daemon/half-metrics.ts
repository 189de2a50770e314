/** Metrics of the halves of a mirror: the same ones as of a single storage, each with the label `half`. Pure. */
import type {
  CounterSeries,
  GaugeSeries,
  Metric,
  MetricDeclaration,
  MetricRegistry,
} from "#base/metrics.ts";
import type { HalfName } from "#daemon/storage-halves.ts";

/** What storages and store paths need of a registry. */
export type StorageMetrics = Pick<MetricRegistry, "counter" | "gauge" | "beforeRender">;

type Family<Series> = Metric<string, Series>;

/** Declares each metric once, whichever half comes first. */
export class HalfMetrics {
  readonly #registry: MetricRegistry;
  readonly #counters = new Map<string, Family<CounterSeries>>();
  readonly #gauges = new Map<string, Family<GaugeSeries>>();

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
  }

  of(half: HalfName): StorageMetrics {
    const registry = this.#registry;
    return {
      counter: (declared) =>
        labelled(half, declared, {
          families: this.#counters,
          declare: (own) => registry.counter<string>(own),
        }),
      gauge: (declared) =>
        labelled(half, declared, {
          families: this.#gauges,
          declare: (own) => registry.gauge<string>(own),
        }),
      beforeRender: (task) => registry.beforeRender(task),
    };
  }
}

function labelled<Label extends string, Series>(
  half: HalfName,
  declared: MetricDeclaration<Label>,
  kind: {
    readonly families: Map<string, Family<Series>>;
    readonly declare: (own: MetricDeclaration<string>) => Family<Series>;
  },
): Metric<Label, Series> {
  const { families, declare } = kind;
  const { name, labels = [] } = declared;
  const family = families.get(name) ?? declare({ ...declared, labels: ["half", ...labels] });
  families.set(name, family);
  return { with: (values) => family.with({ half, ...values }) };
}
