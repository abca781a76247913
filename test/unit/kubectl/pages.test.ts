import { expect } from 'chai';
import { commandsIn } from '../../kubectl/pages.ts';
import { isAsShown } from '../../kubectl/printed.ts';

const page = `# Look

\`\`\`console
$ kubectl get stageplans
NAME   VERDICT

$ kubectl patch web \\
  --patch '{}'
web patched
\`\`\`

## Ask

\`\`\`sh
kubectl get nothing
kubectl create -f - <<'END'
{"a": 1,

 "b": 2}
END
\`\`\`

\`\`\`text
{}
\`\`\`

\`\`\`yaml
kubectl: none
\`\`\`
`;

describe('the commands of a page', () => {
  it('are found with their lines, sections and outputs', () => {
    expect(
      commandsIn('page.md', page).map(({ line, section, script, output }) => ({
        line,
        section,
        script,
        output,
      })),
    ).to.deep.equal([
      {
        line: 4,
        section: 'Look',
        script: 'kubectl get stageplans',
        output: 'NAME   VERDICT',
      },
      {
        line: 7,
        section: 'Look',
        script: "kubectl patch web \\\n  --patch '{}'",
        output: 'web patched',
      },
      { line: 15, section: 'Ask', script: 'kubectl get nothing', output: undefined },
      {
        line: 16,
        section: 'Ask',
        script: `kubectl create -f - <<'END'\n{"a": 1,\n\n "b": 2}\nEND`,
        output: '{}',
      },
    ]);
  });

  it('print what is shown, whenever they are typed', () => {
    const table = 'NAME   RUN                AGE\nweb    0123456789abcdef   3d\n';
    expect(isAsShown(table, 'NAME RUN              AGE\nweb  fedcba9876543210 2m1s\n')).to.be.true;
    expect(isAsShown(table, 'NAME RUN              AGE\nnot  fedcba9876543210 2m1s\n')).to.be.false;
    expect(isAsShown('at sha256:01ab..., then', 'at sha256:01ab02cd, then')).to.be.true;
    expect(isAsShown('{"a":1,...}', '{"a":1,"b":2}')).to.be.true;
    expect(isAsShown('{"a":1,...}', '{"a":2,"b":2}')).to.be.false;
    expect(isAsShown('a.b', 'acb')).to.be.false;
  });
});
