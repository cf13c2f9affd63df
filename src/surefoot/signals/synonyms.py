"""Everyday words that say the same in most sentences: an answer may use one where a passage has the other.

A small list of common words, not a thesaurus: what is not in it is simply another word. A word may stand in several lines.
"""

from __future__ import annotations

from surefoot.signals.text import key

_ALIKE = (
    """
say state mention note remark report declare claim assert express tell voice; explain describe clarify illustrate elaborate
detail outline depict; discuss talk debate converse conversation discussion dialogue; show demonstrate reveal display exhibit
present illustrate indicate; suggest propose recommend advise advocate; tell inform notify advise; ask inquire enquire question
request; answer reply respond response; argue contend maintain; agree concur consent; emphasize emphasise stress highlight
underline underscore; think believe consider feel; know understand realize realise aware; decide determine resolve conclude;
choose select pick opt; plan intend aim mean; plan scheme strategy; goal aim objective purpose target; want wish desire; need
require necessitate; must require obligatory compulsory mandatory necessary needed; allow permit let enable; stop halt cease
quit discontinue; prevent avoid avert hinder; forbid prohibit ban disallow; start begin commence initiate launch; end finish
conclude complete terminate; continue proceed carry persist remain; happen occur take; become turn grow; make create produce
build construct generate develop; use utilize utilise employ apply; usage use utilization application; give provide supply
offer deliver grant; get obtain acquire receive gain secure; have own possess hold; buy purchase acquire; sell vend market; pay
compensate; cost price charge fee expense; money fund cash capital finance; profit earnings gain income; income revenue
earnings salary; wage salary pay; increase rise grow raise climb boost expand surge gain upturn growth; decrease reduce lower
decline drop fall cut diminish lessen shrink reduction; improve enhance better boost upgrade improvement enhancement; worsen
deteriorate degrade; change alter modify adjust vary shift; change modification alteration adjustment; keep retain maintain
preserve; hold contain include comprise; include involve incorporate encompass contain comprise cover; consist comprise
compose; add append attach; remove delete eliminate erase; replace substitute exchange swap; combine merge blend mix unite
integrate fuse; join unite connect link attach; connection link tie relation relationship association; separate divide split
part; help assist aid support; help assistance aid support; support back endorse; protect guard safeguard defend shield; attack
assault; hurt injure harm damage wound; injury wound harm; kill murder slay; die decease pass; death demise; ill sick unwell
ailing; illness disease sickness condition disorder; doctor physician clinician gp; medicine drug medication; hospital clinic;
cure heal treat; treatment therapy care; check examine inspect verify test; examination inspection exam check test; study
research investigate examine analyze analyse; study research investigation analysis; find discover detect identify locate; look
search seek hunt; see view watch observe notice; look appear seem; hear listen; speak talk; call phone telephone ring; call
name term dub; name title; meet encounter; meeting appointment session gathering; visit appointment; visit attend; go travel
move head; leave depart exit; come arrive; return back; send dispatch mail ship transmit; bring carry take fetch deliver; put
place set lay; place location site spot area position; area region zone district; region territory; city town municipality;
country nation state; house home residence dwelling; live reside dwell inhabit; resident inhabitant citizen; person individual
human people; people folks persons individuals; man guy gentleman male; woman lady female; child kid youngster youth; baby
infant newborn; boy lad; parent guardian; friend companion buddy; roommate flatmate; partner spouse; boss supervisor manager;
chief head leader; lead head guide direct; worker employee staff; staff personnel employees team; job work occupation position
employment role; task job assignment duty; role function part; work labor labour; company firm business corporation enterprise
organization organisation; organization organisation body institution; group team band; member participant; participate join
engage; participation involvement; customer client patron; buyer purchaser; seller vendor; shop store; school academy; student
pupil learner; teacher instructor educator tutor; lesson class; learn study; teach instruct educate; book volume; article paper
piece; document paper text record; film movie picture; show program programme series episode; play perform; song track tune; win
triumph prevail; win victory triumph; lose forfeit; fight battle combat struggle; war conflict; army military forces; soldier
troop; police officer cop; crime offense offence; criminal offender; law rule regulation statute legislation; rule policy
guideline; court tribunal; judge justice; lawyer attorney counsel; contract agreement deal; sign endorse; right entitlement;
allowed permitted entitled eligible; permission consent authorization authorisation approval; approve authorize authorise
accept; accept take; refuse reject decline deny; accuse charge allege; admit confess acknowledge; blame fault; error mistake
fault; problem issue difficulty trouble challenge; difficult hard challenging tough tricky; easy simple effortless
straightforward; simple basic plain uncomplicated; complex complicated intricate; solve resolve fix; repair fix mend; solution
answer remedy; result outcome consequence effect; cause reason; cause lead result trigger; effect impact influence; affect
influence impact; significant substantial considerable notable major important; important crucial vital essential critical key
significant; main primary chief principal key major; big large great huge substantial sizable; huge enormous massive immense
vast; small little tiny minor; short brief; long lengthy extended; quick fast rapid swift speedy; quickly rapidly promptly
swiftly fast; slow gradual; sudden abrupt; often frequently regularly commonly; usually normally typically generally commonly;
usual normal typical common ordinary; sometimes occasionally; rarely seldom; always constantly; now currently presently today;
current present existing; recent latest; previous prior former earlier preceding past; next following subsequent; later
afterwards subsequently after; before prior; early initial first; final last ultimate; new novel fresh; novel innovative
original; old ancient aged; modern contemporary; good great excellent fine; bad poor; terrible awful dreadful; best top finest
optimal; beautiful pretty attractive lovely; famous known renowned celebrated popular; popular favored favoured; clever smart
intelligent; happy glad pleased delighted content; sad unhappy sorrowful; angry mad furious; afraid scared frightened fearful;
worry concern; worried concerned anxious; surprised astonished amazed; hope wish; like enjoy love; hate dislike detest; tired
exhausted weary; rich wealthy affluent; poor needy; strong powerful robust; power strength force; weak feeble; healthy well
fit; safe secure; danger risk hazard threat; dangerous risky hazardous unsafe; sure certain confident; unsure uncertain
doubtful; likely probable; possible feasible potential; clear obvious evident plain; true correct right accurate; wrong
incorrect false mistaken; real genuine actual authentic; false fake; whole entire full complete; full complete; total overall
sum; part portion section piece segment; some several various; many numerous multiple several; much lot plenty; number amount
quantity count; enough sufficient adequate; lack shortage absence; almost nearly approximately about around roughly; around
approximately roughly about; exactly precisely; only solely just merely exclusively; also additionally furthermore moreover
besides too; but however though although yet; because since as due; therefore thus hence so consequently; whereas while;
including such like; especially particularly notably specifically; different various diverse distinct varied; difference
distinction; same identical equal; similar alike comparable; kind type sort form category variety; way method manner approach
means technique; method technique approach procedure; process procedure; step stage phase; system framework structure;
model design; tool instrument device; device gadget machine apparatus; machine equipment; car automobile vehicle; road street;
plane aircraft; boat ship vessel; trip journey travel tour; money payment; feature characteristic attribute property trait
quality; advantage benefit merit strength plus; disadvantage drawback downside; ability capability capacity skill; skill talent
expertise; effective efficient successful; effectiveness efficacy efficiency usefulness; useful helpful beneficial valuable;
value worth; quality standard; level degree extent; rate speed pace; top peak highest; limit restrict cap; restriction
limitation constraint; maximum most highest; minimum least lowest; border boundary edge limit; wide broad; narrow thin; heavy
weighty; empty vacant; open available; available accessible; close shut; near close nearby; far distant; inside within
internal; outside external; front fore; middle center centre; idea concept notion thought; opinion view belief perspective
viewpoint; information data details facts; fact detail; news report; story tale narrative account; example instance
illustration; event incident occurrence; situation circumstance condition; chance opportunity possibility; choice option
alternative; hope expectation; expect anticipate predict foresee project; forecast prediction projection; estimate approximate
assess; measure gauge assess evaluate; evaluate assess appraise judge; compare contrast; gather collect assemble accumulate;
collection set group; share distribute divide; spread distribute extend; extend expand lengthen prolong; grow expand develop;
development growth progress; progress advance; achieve accomplish attain reach; achievement accomplishment success; succeed
prosper; fail flop; failure collapse; try attempt seek endeavor endeavour; effort attempt; prepare ready arrange; arrange
organize organise; schedule plan timetable; wait await; delay postpone defer; hurry rush; visit tour; eat consume dine; food
meal; drink beverage; cook prepare; clean wash; dress clothe; clothes clothing garments apparel; sleep rest; wake awaken; run
operate manage; manage handle control oversee supervise; control regulate govern; order command instruct; order purchase;
follow obey comply; lead guide; guide manual handbook; guidance advice counsel; warn caution alert; warning alert; remember
recall recollect; forget overlook; ignore neglect disregard; hide conceal; share reveal disclose; secret confidential private;
public open; trust faith; honest truthful; love affection; marry wed; marriage wedding; divorce separation; family relatives;
water liquid; earth world globe planet; worldwide global international; local regional; foreign overseas; weather climate; rain
rainfall precipitation; hot warm; cold cool chilly; energy power; light illumination; dark dim; color colour; sound noise; loud
noisy; quiet silent; photo picture image photograph; draw sketch; write author compose; writer author; reader audience; listen
hear; host presenter; speaker presenter; winner champion; contest competition tournament; compete contend; rival competitor
opponent; game match; player athlete; practice practise training exercise; train coach; trainer coach; build erect; building
structure edifice; owner proprietor; leader head; president chair; establish found set; founded established; foundation basis;
based grounded; origin source root; derive originate stem; turn rotate spin; move shift transfer; transfer move convey; throw
toss; hit strike; push press; pull drag; break shatter; cut slice; fill load; lift raise; drop fall; rise ascend climb; shrink
contract; reach arrive; attend visit; cancel revoke annul; confirm verify validate; register enroll enrol sign; enrollment
registration enrolment; apply request; application request; submit send; deadline due; fill complete; collect pickup; email
mail; message note; website site webpage; online internet web; computer pc; phone telephone; screen display; key button;
"""
    + """
infer deduce derive; label tag; unknown unidentified; node vertex; labeled annotated; limited restricted scarce; diverse varied;
abundant plentiful ample; convenient handy; annual yearly; monthly month; weekly week; daily day; half 50; quarter 25; double
twice; free complimentary gratis; cheap inexpensive affordable; expensive costly pricey; legal lawful; illegal unlawful;
guilty culpable; evidence proof; prove demonstrate; witness observer; victim casualty; rescue save; save store; hire recruit
employ; fire dismiss; retire resign; elect vote; election vote; candidate nominee; government administration; minister
secretary; tax levy; debt loan; bank lender; invest fund; investor shareholder stockholder; share stock; market trade;
industry sector; factory plant; product good item; item thing object; material substance; metal steel; wood timber; stone
rock; tree plant; animal creature; dog canine; cat feline; bird fowl; sea ocean; river stream; mountain hill; forest woods;
farm ranch; farmer grower; crop harvest; attempt effort; cover include; bill act; side edge; hurricane storm; quake
earthquake; blaze fire; flood inundation; crash collision accident; explosion blast; gun weapon firearm; shoot fire; arrest
detain; jail prison; release free; flee escape; chase pursue; catch capture; steal rob; thief robber burglar
"""
)


def _table() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_ALIKE.split(";")):
        for word in line.split():
            found.setdefault(key(word), set()).add(number)
    return {word: frozenset(lines) for word, lines in found.items()}


SENSES = _table()  # key of a word -> the lines it stands in
