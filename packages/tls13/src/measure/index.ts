// Entry `@puremq/tls13/measure`: what benchmarks share. Pure functions: quantiles, histograms, comparisons with a word on chance, the
// form of a report, and what pages of figures are drawn with.

export { type Compared, compareSides, differencesOf, type Side, sidesOf } from "./compare-runs.ts"
export { distributionOf, rounded } from "./distribution.ts"
export { type Bucket, Histogram, type HistogramData, histogramOf } from "./histogram.ts"
export { escapeText, htmlTable } from "./page/html.ts"
export { captioned, colours, dataLink, legendOf, machineTable, momentText, wholePage } from "./page/page.ts"
export { reportPage } from "./page/report-page.ts"
export { type Curve, growthPlot } from "./plots/growth-plots.ts"
export { barRowsPlot, boxRowsPlot, type PlotRow, wantedPlot } from "./plots/row-plots.ts"
export { ascending, type Box, boxOf, mean, median, quantile } from "./quantiles.ts"
export { type RankTest, rankTest, signedRankTest } from "./rank-test.ts"
export { pairedRatioOf, type Ratio, type RunValues, ratioOf, verdictOn } from "./ratio.ts"
export { Recorder, type RecorderData } from "./recorder.ts"
export type {
  Cpu,
  DirectionBytes,
  Distribution,
  Failure,
  Limit,
  Loop,
  Machine,
  Report,
  Run,
  ServerCpu,
  Slice,
  Wire,
} from "./report.ts"
export { reportFormat } from "./report.ts"
export { reportSchema, type Schema, schemaProblem } from "./report-schema.ts"
export { seeded } from "./seeded.ts"
export { csvCell, figure, percent, textTable } from "./text-table.ts"
export { agreedWords, loopWords, partName, subjectOf } from "./words.ts"
