import { join } from 'node:path';
import { expect } from 'chai';
import { pinnedVersions } from '../../dev/assets/binaries.ts';
import { kubectlBinary, kubectlMinors } from '../../dev/assets/kubectl.ts';
import { progressOnStderr } from '../../dev/progress.ts';
import { showLog } from '../playground.ts';
import { type DocumentedCommand, documentedCommands, supportTable } from './pages.ts';
import { isAsShown, steady } from './printed.ts';
import { type Kubectl, type Person, type Typed, World } from './world.ts';

/** In the order in which their commands make sense one after the other. */
const pages = [
  'docs/plan.md',
  'README.md',
  'docs/promotion.md',
  'docs/history.md',
  'docs/kubectl.md',
] as const;

/** What happens, beside the commands themselves, before the first one of a section. */
const meanwhile: Readonly<Record<string, (world: World) => Promise<void>>> = {
  'Pass a gate through the API': async (world) => {
    await world.untilRun('shop', 'web-1', 'Succeeded');
    await world.releaseShop('v1.1.0');
    await world.untilRun('shop', 'web-2', 'Held');
  },
  History: async (world) => {
    await world.untilRun('shop', 'web-2', 'Succeeded');
    await world.releaseShop('v1.2.0');
    await world.untilRun('shop', 'web-3', 'Held');
  },
  Names: async (world) => {
    await world.promoteDemo('second');
    await world.untilRun('demo', 'crontab-2', 'Succeeded');
  },
};

/** Before 1.32, `--subresource` knows two names, but for `auth can-i`. */
const subresource = /^kubectl (?!auth ).*--subresource=(plan|advance|history)/s;
const anySubresource = 32;
/** Before 1.28, `explain` says nothing of enumerations, and `annotate` less than `annotated`. */
const today = 28;

const isOurs = ({ page, script }: DocumentedCommand): boolean =>
  /\bkubectl\b/.test(script) &&
  (page !== 'README.md' || /stageplans|stagehistories|--subresource/.test(script));

const commands = (await Promise.all(pages.map(documentedCommands))).flat().filter(isOurs);
const support = await supportTable('docs/kubectl.md');
const [, ofCluster = ''] = /^v(\d+\.\d+)/.exec((await pinnedVersions()).kubernetes) ?? [];

describe('the documented commands', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(async () => {
    await world.stop();
  });

  it('are there', () => {
    const shown = pages.filter((page) => commands.some((command) => command.page === page));
    expect(shown).to.deep.equal(pages);
    expect(support).to.have.length.above(10);
  });

  for (const version of [...kubectlMinors, ofCluster] as const) {
    describe(`with kubectl ${version}`, () => {
      const minor = Number(version.split('.')[1]);
      let kubectl: Kubectl;
      let section = '';

      before('get it', async function () {
        // The first build takes minutes.
        this.timeout(1_800_000);
        const own = kubectlMinors.find((known) => known === version);
        const binary =
          own === undefined
            ? join(world.playground.cluster.assets, 'kubectl')
            : await kubectlBinary(own, progressOnStderr);
        kubectl = { version, binary };
        await world.reset();
      });

      afterEach(function () {
        if (this.currentTest?.state === 'failed') showLog(world.controller);
      });

      const type = async (script: string, person?: Person): Promise<Typed> =>
        await world.type(kubectl, script, person);

      it('is what it says', async () => {
        const { printed } = await type('kubectl version --client');
        expect(printed).to.include(`v${version}.`);
      });

      for (const command of commands) {
        it(`${command.page}:${command.line} ${command.script.split('\n')[0] ?? ''}`, async () => {
          if (command.section !== section) await meanwhile[command.section]?.(world);
          section = command.section;
          await follow(command);
        });
      }

      async function follow({ script, output }: DocumentedCommand): Promise<void> {
        const { printed, code } = await type(script);
        const name = subresource.exec(script)?.[1];
        if (name !== undefined && minor < anySubresource) {
          expect({ printed, code }).to.deep.equal({ printed: refusal(name), code: 1 });
          return;
        }
        // A diff that finds something ends with 1.
        expect(code, printed).to.equal(script.includes('kubectl diff') ? 1 : 0);
        if (output === undefined) return;
        const shown = minor < today ? asBefore(output) : output;
        if (!isAsShown(shown, printed)) expect(steady(printed)).to.equal(steady(shown));
      }

      for (const { command, worksWith } of support) {
        it(`${worksWith(minor) ? 'has' : 'has not'} ${command}`, async () => {
          const { printed, code } = await type(command);
          expect(code === 0, printed).to.equal(worksWith(minor));
        });
      }

      it('means the custom resources by `stagesets` alone', async () => {
        const { printed } = await type('kubectl -n shop get stagesets -v=6');
        expect(printed).to.include('/apis/stages.metio.wtf/v1/namespaces/shop/stagesets');
      });

      it('shows who may not', async () => {
        const path = '/apis/subresources.stages.metio.wtf/v1/namespaces/shop/stagesets/web/advance';
        const spec = { stage: 'staging', gate: 'ManualPromotion', runId: '6d2af82701ac9c49' };
        const post = `echo '${JSON.stringify({ spec })}' | kubectl create --raw ${path} -f -`;
        expect((await type(post, 'vera')).printed).to.include('(Forbidden)');
        const asked = 'create stagesets.subresources.stages.metio.wtf --subresource=advance';
        expect(await type(`kubectl auth can-i ${asked}`, 'vera')).to.deep.equal({
          printed: 'no\n',
          code: 1,
        });
        expect((await type('kubectl -n shop get stageplans', 'nobody')).printed).to.equal(
          'Error from server (Forbidden): stageplans.subresources.stages.metio.wtf is forbidden: User "nobody" cannot list resource "stageplans" in API group "subresources.stages.metio.wtf" in the namespace "shop"\n',
        );
      });
    });
  }
});

/** What kubectl says by itself. */
function refusal(name: string): string {
  return `error: invalid subresource value: "${name}". Must be one of [status scale]\n`;
}

function asBefore(shown: string): string {
  return shown.replace(/^ENUM:\n(?: {4}.*\n)*/m, '').replace(/ annotated$/, ' annotate');
}
