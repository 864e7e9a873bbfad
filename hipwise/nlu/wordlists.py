"""Words that people wrote down: of the domain, of text messages, of British spelling, and of other languages."""

from __future__ import annotations


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Words that patients misspell, in the spelling that corrections lead to.
DOMAIN = frozenset(
    _split(
        """
        osteoporosis osteoporotic transient temporary hip hips groin buttock buttocks thigh femoral femur pelvis
        pelvic socket joint joints cartilage marrow oedema edema bone bones skeleton spine vertebrae fracture
        fractures fractured arthritis osteoarthritis rheumatoid avascular necrosis osteonecrosis bursitis sciatica
        dysplasia labrum labral tendon tendonitis ligament muscle muscles symptom symptoms pain painful painkiller
        painkillers ache aching stiffness limp limping swelling inflammation diagnosis diagnosed diagnose scan scans
        x-ray xray radiograph radiology radiologist ultrasound magnetic resonance imaging contrast claustrophobia
        claustrophobic density calcium vitamin vitamins supplement supplements bisphosphonate bisphosphonates
        alendronate alendronic fosamax zoledronic zoledronate reclast aclasta zometa ibandronate ibandronic boniva
        bonviva risedronate actonel pamidronate neridronate clodronate denosumab prolia teriparatide forteo calcitonin
        iloprost cortisone steroid steroids prednisone prednisolone injection injections infusion infusions ibuprofen
        paracetamol acetaminophen tylenol naproxen aspirin diclofenac celecoxib codeine tramadol morphine opioid
        opioids advil anti-inflammatory anti-inflammatories medicine medicines medication medications tablet tablets
        dose dosage crutch crutches walker walkers zimmer cane canes wheelchair wheelchairs rollator walking
        weight-bearing physiotherapy physiotherapist physio physical therapy therapist hydrotherapy rehabilitation
        rehab exercise exercises exercising stretching strengthening swimming swim cycling running jogging yoga
        pilates gymnastics aerobics chiropractor chiropractic acupuncture osteopath osteopathy massage homeopathy
        homeopathic herbal turmeric shockwave hyperbaric surgery surgeon surgical operation replacement decompression
        orthopaedic orthopedic orthopaedist rheumatologist rheumatology specialist gynaecologist obstetrician midwife
        pregnancy pregnant trimester breastfeeding breastfeed caesarean cesarean labour delivery newborn miscarriage
        menopause menopausal hormone hormones testosterone oestrogen estrogen circulation hereditary heredity genetic
        genetics contagious infectious recurrence recurrent recover recovery recovering permanent permanently
        temporarily prevention dangerous complication complications disability insurance alcohol smoking cigarettes
        diabetes diabetic kidney kidneys emergency ambulance numbness paralysed appointment
        """
    )
)

# Words of medicine that the list lacks, and that must not become the nearest everyday word ("statins", "stairs").
MEDICAL = frozenset(
    _split(
        """
        statin statins copd osteopenia osteopenic evenity romosozumab raloxifene exogen perimenopause perimenopausal
        etidronate tiludronate arthrosis coxarthrosis gout lupus psoriasis fibromyalgia scoliosis spondylitis
        warfarin heparin methotrexate metformin insulin gabapentin pregabalin amitriptyline duloxetine omeprazole
        levothyroxine thyroid epidural doula strontium magnesium collagen glucosamine chondroitin probiotic
        probiotics omega turmeric curcumin ashwagandha kinesiology hydroxyapatite algodystrophy oedematous edematous
        idiopathic acetabulum acetabular trochanter trochanteric perthes impingement lidocaine ketorolac etoricoxib
        meloxicam oxycodone hydrocodone dihydrocodeine buprenorphine sertraline preeclampsia eclampsia placenta
        obstetric postpartum antenatal prenatal perinatal lactation colostrum texting vaping zumba crossfit
        pickleball padel hiit spinning snowboarding kayaking breaststroke aquarobics aquafit
        """
    )
)

# Spellings that the (American) word list lacks, and contractions without the apostrophe.
BRITISH = frozenset(
    _split(
        """
        oedema favourite colour behaviour labour neighbour honour humour rumour tumour odour flavour harbour
        paediatric orthopaedic orthopaedics anaesthetic anaesthesia haemoglobin haemorrhage gynaecologist gynaecology
        oestrogen diarrhoea foetus foetal leukaemia anaemia caesarean centre metre litre theatre fibre programme tyre
        kerb grey plough cheque realise realised recognise recognised organise organised apologise specialise
        specialised hospitalised immobilised mobilise mobilising paralysed analyse analysed travelling travelled
        cancelled counselling jewellery practise licence defence offence whilst amongst learnt burnt dreamt spelt mum
        mums mummy nan gran grandad physio physios gp gps nhs dont cant wont isnt arent wasnt werent doesnt didnt
        hasnt havent hadnt couldnt wouldnt shouldnt mustnt neednt im ive ill id youre youve youll youd hes shes its
        were theyre theyve theyll thats whats wheres hows whos whens theres lets aint gonna wanna gotta dunno innit
        kinda sorta cuz cos coz bcoz yeah yep nope nah ok okay hi hello hey thanks thx toh avn mri mris ct dexa dxa
        nsaid nsaids otc pt eswt tens cbd bmi wfh app apps wifi
        """
    )
)

# Text-message forms that mean one thing only.
SHORT_FORMS = {
    "wat": "what", "wot": "what", "wats": "what's", "wots": "what's", "wut": "what", "hw": "how", "hwo": "how",
    "wen": "when", "wher": "where", "wy": "why", "y?": "why?", "u": "you", "ur": "your", "r": "are", "pls": "please",
    "plz": "please", "plss": "please", "thx": "thanks", "thnx": "thanks", "tnx": "thanks", "thanx": "thanks",
    "tks": "thanks", "ty": "thank you", "dis": "this", "dat": "that", "da": "the", "teh": "the", "hte": "the",
    "bcz": "because", "bcoz": "because", "coz": "because", "cuz": "because", "becoz": "because", "b4": "before",
    "gr8": "great", "l8r": "later", "2day": "today", "2moro": "tomorrow", "tmrw": "tomorrow", "tmr": "tomorrow",
    "abt": "about", "hv": "have", "hav": "have", "shud": "should", "wud": "would", "cud": "could", "ppl": "people",
    "dr": "doctor", "doc": "doctor", "docs": "doctors", "meds": "medicines", "med": "medicine", "preggo": "pregnant",
    "preg": "pregnant", "prego": "pregnant", "wk": "week", "wks": "weeks", "mths": "months", "mnths": "months",
    "mth": "month", "yr": "year", "yrs": "years", "hrs": "hours", "thru": "through", "nite": "night",
    "sum1": "someone", "any1": "anyone", "every1": "everyone", "cn": "can", "gud": "good", "luv": "love",
    "msg": "message", "lng": "long", "dos": "does", "wil": "will", "wth": "with", "wid": "with", "n": "and",
    "k": "ok", "hlp": "help", "idk": "i don't know", "dunno": "don't know", "tho": "though", "sry": "sorry",
    "srsly": "seriously", "xray": "x-ray", "xrays": "x-rays", "legit": "really", "def": "definitely",
    "prob": "probably", "probs": "probably",
}  # fmt: skip

# Frequent words of languages written in Latin letters; no word that English has too, unless it is the language's mark.
FOREIGN = {
    "es": _split(
        """
        el la los las una unos es está estoy son soy tengo tiene tienen qué cómo cuándo cuánto cuanto cuánta
        dónde porque por para con sin mi mis su sus duele dolor cadera hueso puedo puede debo caminar nadar
        embarazada embarazo hola gracias usted me muy más pero y o también hay cuándo tiempo dura enfermedad
        medico médico pierna rodilla ayuda necesito quiero hablar español
        """
    ),
    "fr": _split(
        """
        le la les un une des du est sont suis ai as avez avons je j'ai tu il elle nous vous qui que quoi
        comment combien quand pourquoi où avec sans pour dans mon ma mes ton votre hanche os mal douleur
        puis-je peux peut marcher nager enceinte grossesse bonjour merci temps dure durée maladie médecin
        jambe genou aide besoin c'est qu'est-ce parlez français et ou mais très plus pas ne
        """
    ),
    "de": _split(
        """
        der die das den dem ein eine einen ist sind bin habe hat haben ich du er sie wir ihr was wie wann
        warum wo wer welche mit ohne für und oder aber nicht mein meine meiner ihre hüfte knochen schmerzen
        weh tut kann darf muss laufen gehen schwimmen schwanger schwangerschaft hallo danke lange dauert
        krankheit arzt bein knie hilfe brauche sehr mehr auch kein keine sprechen deutsch
        """
    ),
    "pt": _split(
        """
        o os um uma é está estou são sou tenho tem têm que qual como quando quanto quanta onde porque por para
        com sem meu minha meus seu sua dói dor quadril anca osso posso pode devo andar nadar grávida gravidez
        olá oi obrigado obrigada você muito mais mas e ou também há tempo dura doença médico perna joelho
        ajuda preciso quero falar português não sim
        """
    ),
    "it": _split(
        """
        il lo gli una è sono sei ho ha hai hanno che chi cosa come quando quanto quanta dove perché per con
        senza mio mia miei suo sua fa male dolore anca osso posso può devo camminare nuotare incinta
        gravidanza ciao grazie lei molto più ma anche c'è tempo dura malattia medico gamba ginocchio aiuto
        bisogno voglio parlare italiano non della del di
        """
    ),
    "nl": _split(
        """
        het een zijn ben heb heeft hebben ik jij u hij zij wij wat hoe wanneer waarom waar wie welke met
        zonder voor en maar niet mijn uw heup bot botten pijn doet kan mag moet lopen zwemmen zwanger
        zwangerschap dank dankuwel lang duurt ziekte dokter arts been knie hulp nodig erg meer ook geen
        spreekt nederlands hoelang
        """
    ),
    "pl": _split(
        """
        jest są jestem mam ma mają co jak kiedy dlaczego gdzie kto czy z bez dla i lub ale nie mój moja moje
        biodro biodra biodrze kość kości boli ból mogę może muszę chodzić pływać ciąża ciąży dzień dobry
        dziękuję długo trwa choroba lekarz lekarza noga kolano pomoc pomocy potrzebuję bardzo więcej też po
        polsku się to czym
        """
    ),
    "tr": _split(
        """
        bir bu ve ne nasıl zaman neden nerede kim mi mı mu mü ile için ama değil benim kalça kalçam kemik ağrı
        ağrıyor ağrısı yapabilir miyim yürüyebilir yüzebilir hamile hamilelik merhaba teşekkürler kadar sürer
        süre hastalık doktor bacak diz yardım lazım çok daha var yok türkçe olur geçer geçici
        """
    ),
    "vi": _split(
        """
        tôi bị đau hông là gì bao lâu khi nào tại sao ở đâu ai với không cho và hoặc nhưng của xương có thể
        phải đi bộ bơi mang thai xin chào cảm ơn bệnh bác sĩ chân đầu gối giúp cần rất hơn cũng tiếng việt
        được này như thế
        """
    ),
    "sv": _split(
        """
        jag är har det att och eller men inte min mitt mina vad hur när varför vem med utan för höft höften
        ben ont smärta kan får måste gå gravid graviditet hej tack länge varar sjukdom läkare knä hjälp
        behöver mycket också svenska simma
        """
    ),
    "da": _split(
        """
        jeg er har det at og eller men ikke min mit mine hvad hvordan hvornår hvorfor hvor hvem med uden hofte
        hoften knogle ondt smerter kan må skal gå svømme gravid graviditet hej tak længe varer sygdom læge knæ
        hjælp brug meget også dansk
        """
    ),
    "no": _split(
        """
        jeg er har det å og eller men ikke min mitt mine hva hvordan når hvorfor hvor hvem med uten hofte
        hofta bein vondt smerter kan må skal gå svømme gravid graviditet hei takk lenge varer sykdom lege kne
        hjelp trenger veldig også norsk
        """
    ),
    "fi": _split(
        """
        minä olen on mikä miten milloin miksi missä kuka ja tai mutta ei minun lonkka lonkassa lonkan luu kipu
        kipua sattuu voinko voiko saanko pitää kävellä uida raskaana hei kiitos kauan kestää sairaus lääkäri
        jalka polvi apua tarvitsen hyvin myös suomea tämä
        """
    ),
    "cs": _split(
        """
        je jsou jsem mám má co jak kdy proč kde kdo s bez pro a nebo ale není můj moje kyčel kyčle kost bolí
        bolest můžu mohu může musím chodit plavat těhotná těhotenství dobrý den děkuji dlouho trvá nemoc lékař
        noha koleno pomoc potřebuji velmi také česky to
        """
    ),
    "sk": _split(
        """
        je sú som mám má čo ako kedy prečo kde kto bez pre alebo ale nie môj moja bedro bedra kosť bolí bolesť
        môžem môže musím chodiť plávať tehotná tehotenstvo dobrý deň ďakujem dlho trvá choroba lekár noha
        koleno pomoc potrebujem veľmi slovensky
        """
    ),
    "ro": _split(
        """
        este sunt am are ce cum când de ce unde cine cu fără pentru și sau dar nu meu mea șold șoldul os doare
        durere pot poate trebuie merg merge înot însărcinată sarcină bună mulțumesc cât timp durează boală
        medic picior genunchi ajutor nevoie foarte românește mă
        """
    ),
    "hu": _split(
        """
        a az egy és vagy de nem van vagyok mi hogyan meddig mikor miért hol ki csípő csípőm csont fáj fájdalom
        lehet szabad kell járni úszni terhes terhesség szia köszönöm tart betegség orvos láb térd segítség
        kérem nagyon magyarul mennyi ideig
        """
    ),
    "hr": _split(
        """
        je su sam imam ima što šta kako kada kad zašto gdje gde tko ko s bez za i ili ali nije moj moja kuk
        kuku kukova kost boli bol mogu može moram hodati plivati trudna trudnoća zdravo hvala dugo traje
        bolest liječnik lekar noga koljeno pomoć trebam vrlo hrvatski
        """
    ),
    "id": _split(
        """
        apa bagaimana berapa lama kapan mengapa kenapa di mana siapa dengan tanpa untuk dan atau tetapi tidak
        saya anda pinggul panggul tulang sakit nyeri bisa boleh harus berjalan berenang hamil kehamilan halo
        terima kasih penyakit dokter kaki lutut tolong bantuan sangat juga ini itu adalah apakah
        """
    ),
    "tl": _split(
        """
        ano paano kailan bakit saan sino ang ng mga sa ako ko ikaw po opo hindi balakang buto masakit sakit
        pwede maaari dapat maglakad lumangoy buntis salamat kumusta gaano katagal tatagal sakit doktor binti
        tuhod tulong kailangan din ba ito aking
        """
    ),
    "sw": _split(
        """
        nini vipi lini kwa nini wapi nani na au lakini si mimi yangu nyonga mfupa maumivu inauma naweza lazima
        kutembea kuogelea mjamzito mimba habari asante muda gani ugonjwa daktari mguu goti msaada nahitaji
        sana pia hii
        """
    ),
    "so": _split(
        """
        waa maxay sidee goorma maxaa xaggee yaa iyo ama laakiin ma aniga waxaan waxay misigta miskaha lafta
        xanuun xanuunaysaa karaa socon dabaalan uur leh mahadsanid intee muddo cudurka dhakhtar lugta jilibka
        caawimo aad
        """
    ),
    "ht": _split(
        """
        mwen ou li nou yo se sa ki kisa kijan kilè poukisa ki kote ak san pou epi men pa ranch zo doulè fè mal
        kapab dwe mache naje ansent bonjou mèsi konbyen tan dire maladi doktè janm jenou èd bezwen anpil tou
        """
    ),
    "sq": _split(
        """
        është janë jam kam ka çfarë si kur pse ku kush me pa për dhe ose por nuk im ime kofsha kofshës ijë
        ijën kocka dhemb dhimbje mund duhet eci notoj shtatzënë shtatzënia përshëndetje faleminderit sa kohë
        zgjat sëmundja mjeku këmba gjuri ndihmë shumë shqip
        """
    ),
    "ca": _split(
        """
        és són sóc tinc té què com quan quant per què on qui amb sense i o però no meu meva maluc os fa mal
        dolor puc pot he caminar nedar embarassada embaràs hola gràcies temps dura malaltia metge cama genoll
        ajuda molt també català
        """
    ),
}
