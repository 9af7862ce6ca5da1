/** Decisions as stacked bars, with the same figures as a table for who does not see them. */
import { BarChart } from '@mantine/charts';
import { formatCount } from '../../ui/numbers.ts';
import { useZone } from '../../ui/Time.tsx';
import { formatTime, zoneName } from '../../ui/times.ts';
import { bucketHours, buildBuckets, type Overview } from './overview_view.ts';

const series = [
  { name: 'Allowed', color: 'var(--chart-allow)' },
  { name: 'Put to people', color: 'var(--chart-ask)' },
  { name: 'Denied', color: 'var(--chart-deny)' },
  { name: 'Failed', color: 'var(--chart-fail)' },
] as const;

export function DecisionChart({ overview, days }: { overview: Overview; days: number }) {
  const zone = useZone();
  const buckets = buildBuckets(overview.by_hour, days, Date.now());
  const hours = bucketHours(days);
  const label = (at: string): string => {
    const [day, time] = formatTime(at, zone, 'minute').split(', ');
    const short = (day ?? '').split(' ').slice(0, 2).join(' ');
    return hours >= 24
      ? short
      : days <= 2
        ? (time ?? '').split(' ')[0]!
        : `${short} ${(time ?? '').split(' ')[0]}`;
  };
  const rows = buckets.map(bucket => ({ ...bucket, label: label(bucket.at) }));
  const used = rows.filter(row => series.some(({ name }) => row[name] > 0));
  const unit = hours === 1 ? 'hour' : hours === 24 ? 'day' : hours > 24 ? 'week' : `${hours} hours`;
  return (
    <figure className="decision-chart">
      <div aria-hidden>
        <BarChart
          h={200}
          data={rows}
          dataKey="label"
          type="stacked"
          series={[...series]}
          withLegend
          legendProps={{ verticalAlign: 'top', height: 36, itemSorter: null }}
          gridAxis="x"
          tickLine="none"
          maxBarWidth={26}
          barProps={{ isAnimationActive: false }}
          xAxisProps={{ minTickGap: 36 }}
          yAxisProps={{ allowDecimals: false, width: 36 }}
          barChartProps={{ accessibilityLayer: false }}
          valueFormatter={formatCount}
          tooltipAnimationDuration={0}
        />
      </div>
      <figcaption className="mute">
        One bar for each {unit}; times in {zoneName(zone)}.
      </figcaption>
      <table className="visually-hidden">
        <caption>Decisions, one row for each {unit} with any</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {used.map(row => (
            <tr key={row.at}>
              <th scope="row">{formatTime(row.at, zone, 'minute')}</th>
              {series.map(({ name }) => (
                <td key={name}>{row[name]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
