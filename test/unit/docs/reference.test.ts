import { expect } from 'chai';
import type { Flag } from '../../../src/config/flag.ts';
import { flags } from '../../../src/config/flags.ts';
import { laterFlags } from '../../../src/config/later-flags.ts';
import { collectProcessMetrics, createMetrics } from '../../../src/server/metrics.ts';
import { tableRows, textOf } from './markdown.ts';

/** The first two cells of every row that begins with a flag, such as `--log-level` and `info`. */
async function flagRows(page: string): Promise<Map<string, string>> {
  const rows = tableRows(await textOf(page)).map(([name = '', value = '']) => [name, value]);
  return new Map(
    rows
      .filter(([name = '']) => name.startsWith('`--'))
      .map(([name = '', value = '']) => [name.replaceAll('`', ''), value.replaceAll('`', '')]),
  );
}

const described: readonly Flag[] = flags;

for (const page of ['README.md', 'docs/operations.md']) {
  describe(`the table of flags in ${page}`, () => {
    it('has every flag with its default, and no other', async () => {
      const defaults = described.map(({ name, defaultText = '' }) => [`--${name}`, defaultText]);
      expect(Object.fromEntries(await flagRows(page))).to.deep.equal(Object.fromEntries(defaults));
    });

    it('names the variable behind a flag', async () => {
      const text = await textOf(page);
      const missing = described.flatMap(({ environment }) =>
        environment === undefined || text.includes(`\`${environment}\``) ? [] : [environment],
      );
      expect(missing).to.deep.equal([]);
    });
  });
}

describe('docs/operations.md', () => {
  it('lists the flags whose features are not there yet', async () => {
    const text = await textOf('docs/operations.md');
    const missing = laterFlags.filter(({ name }) => !text.includes(`\`--${name}\``));
    expect(missing).to.deep.equal([]);
  });

  it('has every metric of the controller, with its type and labels, and no other', async () => {
    const { registry } = createMetrics(() => 0);
    const registered = registry.getMetricsAsArray().map((metric) => {
      const labels = 'labelNames' in metric ? (metric.labelNames as string[]) : [];
      return [metric.name, String(metric.type), labels.join(', ')];
    });
    const isMetric = ([name = '']: string[]): boolean =>
      /^`(stageset|workqueue|controller_runtime|rest_client)_[a-z_]+`$/.test(name);
    const listed = tableRows(await textOf('docs/operations.md'))
      .filter(isMetric)
      .map(([name = '', type = '', labels = '']) => [name.replaceAll('`', ''), type, labels]);
    expect(listed.map(sortable).sort()).to.deep.equal(registered.map(sortable).sort());
  });

  it('names the prefixes of all metrics of the process', async () => {
    const text = await textOf('docs/operations.md');
    const { registry } = createMetrics(() => 0);
    const own = new Set(registry.getMetricsAsArray().map(({ name }) => name));
    collectProcessMetrics(registry);
    const prefixes = registry
      .getMetricsAsArray()
      .filter(({ name }) => !own.has(name))
      .map(({ name }) => `${name.split('_')[0] ?? ''}_`);
    expect([...new Set(prefixes)].filter((prefix) => !text.includes(`\`${prefix}\``))).to.be.empty;
  });
});

function sortable(metric: readonly string[]): string {
  return metric.join(' | ');
}
