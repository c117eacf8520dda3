"""The lists that forms choose from: code → label. Codes are what the database and the API hold."""

CATEGORIES = {
    "technology": "信息技术",
    "manufacturing": "生产制造",
    "sales": "销售客服",
    "administration": "行政人事",
    "finance": "财务金融",
    "hospitality": "餐饮住宿",
    "logistics": "物流仓储",
    "health": "医疗护理",
    "education": "教育培训",
    "construction": "建筑工程",
    "domestic": "家政服务",
    "other": "其他",
}
KINDS = {"full_time": "全职", "part_time": "兼职", "internship": "实习"}
EDUCATIONS = {
    "any": "学历不限",
    "junior": "初中及以下",
    "senior": "高中、中专、技校",
    "college": "大专",
    "bachelor": "本科",
    "master": "硕士及以上",
}
EXPERIENCES = {
    "any": "经验不限",
    "graduate": "应届毕业生",
    "1": "1年以上",
    "3": "3年以上",
    "5": "5年以上",
    "10": "10年以上",
}
NATURES = {
    "state": "国有企业",
    "private": "民营企业",
    "foreign": "港澳台及外商投资企业",
    "institution": "机关、事业单位",
    "social": "社会组织",
    "household": "个体工商户",
    "other": "其他",
}
INDUSTRIES = {
    "agriculture": "农、林、牧、渔业",
    "manufacturing": "制造业",
    "energy": "电力、燃气及水务",
    "construction": "建筑业",
    "retail": "批发和零售业",
    "transport": "交通运输、仓储和邮政业",
    "hospitality": "住宿和餐饮业",
    "technology": "信息技术服务业",
    "finance": "金融业",
    "real_estate": "房地产业",
    "business": "租赁和商务服务业",
    "education": "教育",
    "health": "卫生和社会工作",
    "culture": "文化、体育和娱乐业",
    "public": "公共管理和社会组织",
    "other": "其他",
}
SIZES = {"20": "20人以下", "99": "20–99人", "499": "100–499人", "999": "500–999人", "1000": "1000人及以上"}
SALARIES = {
    "3000": "3000元以上",
    "5000": "5000元以上",
    "8000": "8000元以上",
    "12000": "12000元以上",
    "20000": "20000元以上",
}
