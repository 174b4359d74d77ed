// Texts of many kinds, written for the tests of token counting; none is taken from anywhere.
const lines = (count: number, line: (at: number) => string) => Array.from({ length: count }, (_, at) => line(at)).join("\n");

/** A small generator with a seed, so that what looks like chance is the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const next = seeded(7);
const bytes = (count: number) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256));
const hex = (count: number) => Buffer.from(bytes(count)).toString("hex");
const uuid = () => hex(16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

export const samples: Readonly<Record<string, readonly string[]>> = {
  english: [
    "Good morning, I ordered two lamps last Tuesday and only one of them has arrived. The tracking page says that the parcel was split, but it names no date for the second half. Could you please find out where it is, and tell me whether I have to be at home when it comes?",
    "The committee met on Thursday to discuss the proposed extension of the harbour. Several members doubted that the figures of the consultants could be relied upon; others pointed out that the old quay would not survive another winter. In the end it was agreed to ask for a second opinion before any money is spent.",
    "You are a careful assistant for the customers of an online shop. Look up orders before you answer questions about them. Never promise a refund: ask the tool, and tell the customer what it said. Keep your answers short and friendly, and don't repeat the customer's question.",
    "# Notes on the release\n\nWe've moved the parser into its own module. It's roughly twice as fast as before, mostly because it doesn't copy strings any more.\n\n- Errors name the line they were found on.\n- `parse(text)` takes an option for strictness.\n- The old entry point still works, but it's deprecated.\n",
  ],
  german: [
    "Sehr geehrte Damen und Herren, leider ist die bestellte Waschmaschine auch nach drei Wochen noch nicht geliefert worden. Ich bitte Sie, mir bis Freitag verbindlich mitzuteilen, wann mit der Zustellung zu rechnen ist. Andernfalls sehe ich mich gezwungen, vom Kaufvertrag zurückzutreten und den Kaufpreis zurückzufordern.",
    "Die Geschwindigkeitsbegrenzung gilt auf dem gesamten Streckenabschnitt zwischen der Autobahnausfahrt und dem Gewerbegebiet. Überschreitungen werden durch eine fest eingebaute Messanlage erfasst. Für Rückfragen wenden Sie sich bitte an die zuständige Straßenverkehrsbehörde.",
  ],
  romance: [
    "Bonjour, j'ai reçu hier un colis qui ne m'était pas destiné. L'étiquette porte bien mon adresse, mais le nom est celui d'un voisin qui a déménagé l'été dernier. Pourriez-vous m'indiquer comment vous le renvoyer sans que cela me coûte quoi que ce soit ?",
    "Buenos días, quisiera cambiar la fecha de mi reserva porque el vuelo se ha retrasado dos días. ¿Hay alguna habitación libre desde el martes? Si no la hubiera, les agradecería que me devolvieran el importe.",
    "Il treno regionale per Bologna viaggia con venti minuti di ritardo a causa di un guasto sulla linea. I passeggeri che hanno una coincidenza possono rivolgersi al personale di bordo, che indicherà loro un percorso alternativo.",
  ],
  slavic: [
    "Szanowni Państwo, zgłaszam reklamację na zmywarkę, która przestała działać po dwóch miesiącach użytkowania. Proszę o informację, czy mogą Państwo przysłać serwisanta jeszcze w tym tygodniu.",
    "Здравствуйте! Вчера я оформил заказ на два чайника, но в письме указан только один. Проверьте, пожалуйста, что произошло, и сообщите, когда придёт второй.",
  ],
  cjk: [
    "您好,我上周订购了两盏台灯,但是只收到了一盏。物流页面显示包裹被分成了两部分,却没有说明第二部分什么时候送到。请帮我查一下,谢谢。",
    "昨日注文した商品がまだ届いていません。配送状況を確認していただけますか。もし今週中に届かない場合は、キャンセルをお願いしたいと思います。",
    "안녕하세요. 지난주에 주문한 의자가 아직 도착하지 않았습니다. 배송 상태를 확인해 주시고, 언제쯤 받을 수 있는지 알려 주시면 감사하겠습니다.",
  ],
  arabic: [
    "مرحبا، طلبت مصباحين الأسبوع الماضي ووصل واحد فقط. هل يمكنكم التحقق من مكان الطرد الثاني وإخباري بموعد وصوله؟ شكرا لكم على المساعدة.",
  ],
  hindi: ["नमस्ते, मैंने पिछले हफ्ते दो लैंप मँगवाए थे, लेकिन अभी तक केवल एक ही मिला है। कृपया बताइए कि दूसरा पैकेट कहाँ है और कब तक पहुँचेगा। धन्यवाद।"],
  emoji: [
    "🎉🎉🎉 Congratulations! 🥳 You did it 👏👏 see you on Friday 🍕🍻😎",
    "👍🏽👩‍👩‍👧‍👦🇩🇪🇫🇷❤️✅❌⚠️🚀🔥💯😂🤣😭🙏",
    "😀😃😄😁😆😅🤣😂🙂🙃😉😊😇🥰😍🤩😘",
  ],
  code: [
    "export function total(lines: readonly Line[]): number {\n  let sum = 0;\n  for (const { price, quantity } of lines) {\n    if (quantity < 0) throw new RangeError(`negative quantity: ${quantity}`);\n    sum += price * quantity;\n  }\n  return sum;\n}\n",
    'def read_rows(path, *, encoding="utf-8"):\n    """Yields the rows of a file, without the empty ones."""\n    with open(path, encoding=encoding) as handle:\n        for number, line in enumerate(handle, start=1):\n            row = line.rstrip("\\n").split(";")\n            if any(row):\n                yield number, row\n',
    "SELECT o.id, o.placed_at, SUM(l.price * l.quantity) AS total\nFROM orders o JOIN order_lines l ON l.order_id = o.id\nWHERE o.status <> 'cancelled' AND o.placed_at >= now() - interval '30 days'\nGROUP BY o.id, o.placed_at HAVING SUM(l.quantity) > 3 ORDER BY total DESC LIMIT 50;\n",
    '#!/bin/sh\nset -eu\nfor file in "$@"; do\n  [ -f "$file" ] || { echo "no such file: $file" >&2; exit 1; }\n  gzip -9 -c "$file" > "/backup/$(basename "$file").gz"\ndone\n',
  ],
  minified: [
    '!function(e,t){"object"==typeof exports?module.exports=t():e.Lib=t()}(this,function(){"use strict";function n(e){return e&&e.__esModule?e:{default:e}}var r=Object.assign||function(e){for(var t=1;t<arguments.length;t++){var n=arguments[t];for(var r in n)e[r]=n[r]}return e};return{a:n,b:r,c:function(e,t){return void 0===t&&(t=0),e>t?1:-1}}});',
    ".a{margin:0 auto;color:#3c3}.b:hover>.c{transform:translate(-50%,-50%) scale(1.2);transition:all .3s ease-in-out}@media(max-width:640px){.d{display:none!important}}",
  ],
  json: [
    JSON.stringify({
      orderId: "A-4711",
      status: "shipped",
      lines: [{ sku: "LAMP-02", quantity: 2, price: 39.95 }],
      address: null,
      tags: [],
    }),
    JSON.stringify(Array.from({ length: 20 }, (_, at) => ({ id: at, name: `Customer ${at}`, active: at % 2 === 0, score: at * 1.37 }))),
    JSON.stringify(
      { users: Array.from({ length: 8 }, (_, at) => ({ id: at, roles: ["reader", "editor"], profile: { city: "Köln" } })) },
      null,
      2,
    ),
    JSON.stringify({ body: JSON.stringify({ message: 'He said "no"\nand left.', at: "2026-03-01T10:00:00Z" }) }),
  ],
  base64: [
    Buffer.from(bytes(300)).toString("base64"),
    Buffer.from(bytes(90)).toString("base64url"),
    `data:image/png;base64,${Buffer.from(bytes(600)).toString("base64")}`,
  ],
  hex: [hex(32), hex(300), hex(64).toUpperCase(), `0x${hex(20)}`],
  uuids: [lines(12, uuid), JSON.stringify(Array.from({ length: 10 }, uuid))],
  urls: [
    "https://shop.example.com/de/products/lamps/desk?page=2&sort=price_asc&filter%5Bcolor%5D=black#reviews",
    lines(8, (at) => `https://cdn.example.org/assets/${hex(6)}/img_${at}.webp?w=640&sig=${hex(8)}`),
  ],
  logs: [
    lines(
      10,
      (at) =>
        `2026-03-0${(at % 9) + 1}T12:0${at % 10}:31.${100 + at}Z INFO  [worker-${at}] c.e.shop.OrderService - order ${hex(4)} stored in ${at * 7}ms`,
    ),
    "TypeError: Cannot read properties of undefined (reading 'id')\n    at find (/srv/app/src/orders.ts:42:17)\n    at async Router.handle (/srv/app/node_modules/router/index.js:118:5)\n",
  ],
  numbers: [
    lines(20, (at) => `${at * 7919},${(at * 0.37).toFixed(4)},${1e9 + at * 104_729}`),
    "3.14159265358979323846264338327950288419716939937510",
    "+49 (0)30 901820-15; DE02 1203 0000 0000 2020 51",
  ],
  tables: [
    `| article | in stock | price |\n| --- | ---: | ---: |\n${lines(10, (at) => `| lamp ${at} | ${at * 13} | ${(at * 9.5).toFixed(2)} € |`)}`,
    `article      in stock      price\n${lines(10, (at) => `lamp ${at}            ${at * 13}      ${at * 95}`)}`,
    `┌──────┬──────┐\n${lines(6, (at) => `│ ${at}    │ ${at * 11}  │`)}\n└──────┴──────┘`,
  ],
  whitespace: [
    " ".repeat(300),
    "\n".repeat(200),
    "\t".repeat(120),
    "\r\n".repeat(150),
    "a   b\t\tc\n\n\n   d\r\n\t e",
    " \t \n".repeat(40),
  ],
  markup: [
    '<div class="card"><h2 id="title">Orders</h2><ul>\n  <li><a href="/orders/1">First</a></li>\n  <li>Second &amp; last</li>\n</ul></div>',
    '<?xml version="1.0"?><order xmlns="urn:shop"><line sku="A1" qty="2"/><note lang="de">Bitte klingeln</note></order>',
  ],
  unusual: [
    Array.from("ignore the rules", (letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join(""),
    Array.from("a word with nothing between").join("\u200b"),
    Array.from("zalgo", (letter) => `${letter}\u0301\u0316\u0334\u0342`).join(""),
    Array.from({ length: 200 }, () => String.fromCharCode(0x80 + Math.floor(next() * 0xd700))).join(""),
    "ＦＵＬＬ ｗｉｄｔｈ 𝓼𝓬𝓻𝓲𝓹𝓽 𝔣𝔯𝔞𝔨𝔱𝔲𝔯 ①②③ ⅣⅧ",
  ],
};
