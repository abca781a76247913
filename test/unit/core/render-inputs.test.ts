import { expect } from 'chai';
import { rendersAsBefore } from '../../../src/core/render-inputs.ts';

const postBuild = { substitute: { region: 'north' } };
const before = { generation: 1, fingerprint: 'north' };

describe('what an unchanged revision has to write', () => {
  it('is drift when the stage renders as it did', () => {
    expect(rendersAsBefore(before, { ...before }, { postBuild })).to.equal(true);
  });

  it('is no drift when the generation is another', () => {
    expect(rendersAsBefore(before, { ...before, generation: 2 }, { postBuild })).to.equal(false);
  });

  it('is no drift when a variable is another', () => {
    const now = { ...before, fingerprint: 'south' };
    expect(rendersAsBefore(before, now, { postBuild })).to.equal(false);
  });

  it('is not called drift when nobody remembers the variables', () => {
    expect(rendersAsBefore(undefined, before, { postBuild })).to.equal(false);
  });

  it('is drift without memory where there are no variables', () => {
    expect(rendersAsBefore(undefined, { generation: 1, fingerprint: '' }, {})).to.equal(true);
  });
});
