// A reporter for `node --test-reporter` that writes each case as GoogleTest and
// xml_report.py do, so that tools/test counts cases and keeps the reasons.

const escape = (text) =>
    String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(
        /"/g, '&quot;').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');

export default async function* reporter(source) {
  const cases = [];
  for await (const {type, data} of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    let inside = '';
    if (data.skip !== undefined)
      inside = `<skipped message="${escape(data.skip)}"/>`;
    else if (type === 'test:fail')
      inside = `<failure message="${escape(
          data.details?.error?.cause ?? data.details?.error ?? 'failed')}"/>`;
    cases.push(`<testcase classname="page" name="${escape(data.name)}" time="${
        (data.details?.duration_ms ?? 0) / 1000}">${inside}</testcase>`);
  }
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites><testsuite ' +
      `name="page" tests="${cases.length}">\n${cases.join('\n')}\n` +
      '</testsuite></testsuites>\n';
}
