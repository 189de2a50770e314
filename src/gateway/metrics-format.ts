/** Which of the two text formats a scraper wants (RFC 9110 §12.5.1). OpenMetrics, unless it says otherwise. Pure. */
import type { MetricsFormat } from "#base/metrics.ts";

export function chooseMetricsFormat(accept: string | undefined): MetricsFormat {
  if (accept === undefined || accept.trim() === "") return "openmetrics";
  const openmetrics = qualityOf(accept, "application", "openmetrics-text");
  return openmetrics > 0 && openmetrics >= qualityOf(accept, "text", "plain")
    ? "openmetrics"
    : "prometheus";
}

/** The weight of the most specific range that covers the type; among equals the greatest. */
function qualityOf(accept: string, type: string, subtype: string): number {
  let best = { rank: 0, quality: 0 };
  for (const element of accept.split(",")) {
    const [range = "", ...parameters] = element.split(";").map((part) => part.trim().toLowerCase());
    const rank = [`*/*`, `${type}/*`, `${type}/${subtype}`].indexOf(range) + 1;
    const quality = weightOf(parameters);
    if (rank > best.rank || (rank === best.rank && rank > 0 && quality > best.quality)) {
      best = { rank, quality };
    }
  }
  return best.quality;
}

function weightOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (text === undefined) return 1;
  const weight = Number(text);
  return weight >= 0 && weight <= 1 ? weight : 0;
}
