"""Digital certificates (数字证书) of persons and units: read, verified, taken as proof of who somebody is (P8, U6).

reading      what was pasted, uploaded or passed on by the proxy → certificates
subject      a certificate → whose it is: name and document number
trust        chain, dates, usage, strength;  revocation: the lists of those that were taken back
challenges   what is signed, or presented, once;  signatures: whether it was signed with the certificate's key
proofs       all of this for one of the two doors;  accounts: sign in, step up, enrol, remove
"""
