/** The dependency rules of docs/architecture.md, enforced. */
const inside = (folder) => `^src/${folder}/`;
const edges = ['sources', 'build', 'apply', 'actions', 'metrics-sources', 'cloud'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-pure',
      comment: 'core decides; it imports types and itself only',
      severity: 'error',
      from: { path: inside('core') },
      to: { path: '^src/(?!core/|types/)' },
    },
    {
      name: 'core-has-no-io',
      comment: 'no clock, no disk, no network: only pure built-ins',
      severity: 'error',
      from: { path: inside('core') },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|util|buffer)$' },
    },
    {
      name: 'types-stand-alone',
      severity: 'error',
      from: { path: inside('types') },
      to: { path: '^src/(?!types/)' },
    },
    {
      name: 'kubernetes-knows-no-feature',
      severity: 'error',
      from: { path: inside('kubernetes') },
      to: { path: '^src/(?!kubernetes/|core/|types/)' },
    },
    {
      name: 'network-knows-no-feature',
      comment: 'how strangers are reached safely, whatever for',
      severity: 'error',
      from: { path: inside('network') },
      to: { path: '^src/(?!network/|core/|types/)' },
    },
    ...edges.map((edge) => ({
      name: `${edge}-does-not-reach-sideways`,
      comment: 'the controller wires the edges; they do not know each other',
      severity: 'error',
      from: { path: inside(edge) },
      to: { path: `^src/(?!${edge}/|network/|kubernetes/|core/|types/)` },
    })),
    {
      name: 'controller-does-not-know-server',
      severity: 'error',
      from: { path: inside('controller') },
      to: { path: inside('server') },
    },
    {
      name: 'server-does-not-know-controller',
      severity: 'error',
      from: { path: inside('server') },
      to: { path: inside('controller') },
    },
    ...[
      ['@kubernetes/client-node', '^src/kubernetes/'],
      ['express', '^src/server/'],
      ['cron-parser', '^src/core/gates/cron\\.ts$'],
      ['@bufbuild/cel', '^src/core/cel/library\\.ts$'],
      ['jsonpath-rfc9535', '^src/core/objects/json-path\\.ts$'],
      ['semver', '^src/core/version/semver\\.ts$'],
      ['yaml', '^src/(core/objects/yaml|build/sops/yaml-nodes)\\.ts$'],
      ['age-encryption', '^src/build/sops/age-keys\\.ts$'],
      ['openpgp', '^src/build/sops/pgp-keys\\.ts$'],
      ['node-forge', '^src/certs/'],
      ['@aws-sdk', '^src/cloud/'],
      ['@azure', '^src/cloud/'],
      ['@google-cloud', '^src/cloud/'],
      ['google-auth-library', '^src/cloud/'],
    ].map(([library, home]) => ({
      name: `${library.replace(/[@/]/g, '')}-in-one-place`,
      severity: 'error',
      from: { path: '^src/', pathNot: home },
      to: { path: `node_modules/${library}/` },
    })),
    {
      name: 'product-does-not-import-development',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(dev|bench|test)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'], conditionNames: ['import', 'node'] },
  },
};
